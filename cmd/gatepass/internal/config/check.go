package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth"
	"gatepass/auth/srp6a"
	"gatepass/logic"
	"gatepass/worlds"
)

// validate returns every fault at once, each with its key. The parts check their options
// too, but they do not know the keys, and they start one after the other.
func (c *Config) validate() error {
	_, level := c.LogLevel()
	_, list := c.WorldList()
	return errors.Join(
		c.checkProcess(),
		checkAddress("grunt", c.Grunt), checkAddress("admin", c.Admin), c.checkNative(),
		checkAddress("bus.listen", c.Bus.Listen), checkAddress("gateway.listen", c.Gateway.Listen),
		checkAddress("dns.listen", c.DNS.Listen), c.checkAdvertise(),
		c.checkBuilds(), c.checkUpdates(), c.checkMachine(), c.checkSessions(), c.checkRegion(), c.checkGateway(),
		level, c.checkLogFormat(), list)
}

func (c *Config) checkProcess() error {
	var faults []error
	if c.Data == "" {
		faults = append(faults, errors.New("data: a folder is needed"))
	}
	if c.Storage.CacheMiB < 1 {
		faults = append(faults, errors.New("storage.cache-mib: must be at least 1"))
	}
	// Roles without a name of their own have none here.
	if c.Node != "" && worlds.LoginNode(c.Node).Validate() != nil {
		faults = append(faults, fmt.Errorf("node: %q is not 1 to 32 of a-z, 0-9, - and _", c.Node))
	}
	return errors.Join(faults...)
}

func checkAddress(key, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil && port != "" {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return fmt.Errorf("%s: %q is not HOST:PORT with a port in 0 to 65535", key, address)
	}
	return nil
}

func (c *Config) checkBuilds() error {
	if len(c.Builds) == 0 || slices.Contains(c.Builds, 0) {
		return errors.New("builds: at least one is needed, each in 1 to 65535")
	}
	for _, w := range c.Worlds {
		if slices.Contains(w.Builds, 0) {
			return fmt.Errorf("worlds: %q: builds: 0 is not in 1 to 65535", w.Name)
		}
	}
	return nil
}

// maxUpdateRate is the highest rate that may be set, in MiB a second. No machine sends as
// much, and the number of bytes fits an int64 easily.
const maxUpdateRate = 1 << 20

func (c *Config) checkUpdates() error {
	var faults []error
	u := &c.Updates
	for key, rate := range map[string]float64{"rate": u.Rate, "client-rate": u.ClientRate} {
		// At a lower rate, the pauses between two writes would count as a stall.
		if rate != 0 && !(rate >= 0.01 && rate <= maxUpdateRate) {
			faults = append(faults, fmt.Errorf("updates.%s: %v is not 0 (no limit) or 0.01 to %d MiB a second", key, rate, maxUpdateRate))
		}
	}
	if u.AtOnce < 1 {
		faults = append(faults, fmt.Errorf("updates.at-once: %d is below 1", u.AtOnce))
	}
	for key, d := range map[string]time.Duration{"stall-limit": u.StallLimit, "accept-limit": u.AcceptLimit} {
		if d < time.Second || d > time.Hour {
			faults = append(faults, fmt.Errorf("updates.%s: %v is not in 1s to 1h", key, d))
		}
	}
	return errors.Join(faults...)
}

// checkNative checks the keys of the native protocol.
func (c *Config) checkNative() error {
	var faults []error
	if c.Native != "" {
		faults = append(faults, checkAddress("native", c.Native))
	}
	if c.Gateway.NativeListen != "" {
		faults = append(faults, checkAddress("gateway.native-listen", c.Gateway.NativeListen))
	}
	faults = append(faults, samePort("native", c.Native, "grunt", c.Grunt),
		samePort("gateway.native-listen", c.Gateway.NativeListen, "gateway.listen", c.Gateway.Listen))
	for key, builds := range map[string][]uint16{"native-builds": c.NativeBuilds, "gateway.native-builds": c.Gateway.NativeBuilds} {
		if slices.Contains(builds, 0) {
			faults = append(faults, fmt.Errorf("%s: 0 is not in 1 to 65535", key))
		}
	}
	_, err := c.Decoys()
	return errors.Join(append(faults, err)...)
}

// samePort returns an error if two listeners of one process have the same port. Port 0
// is no fault: it takes a free one.
func samePort(key, address, otherKey, other string) error {
	_, port, err := net.SplitHostPort(address)
	_, otherPort, otherErr := net.SplitHostPort(other)
	if err != nil || otherErr != nil || port != otherPort || port == "0" {
		return nil
	}
	return fmt.Errorf("%s: %q has the port of %s, %q; each needs its own", key, address, otherKey, other)
}

// Decoys returns the parameters that the server shows for names without an account.
func (c *Config) Decoys() ([]auth.Weighted, error) {
	var all []auth.Weighted
	var faults []error
	for i, d := range c.NativeDecoys {
		group, err := srp6a.ParseGroup(d.Group)
		kdf := srp6a.KDF{MemoryKiB: d.MemoryKiB, Passes: d.Passes, Lanes: d.Lanes}
		if err = errors.Join(err, kdf.Acceptable()); err != nil {
			faults = append(faults, fmt.Errorf("native-decoys: entry %d: %w", i+1, err))
		}
		if d.Weight < 1 {
			faults = append(faults, fmt.Errorf("native-decoys: entry %d: weight: %d is below 1", i+1, d.Weight))
		}
		all = append(all, auth.Weighted{Params: srp6a.Params{Group: group, KDF: kdf}, Weight: d.Weight})
	}
	return all, errors.Join(faults...)
}

func (c *Config) checkMachine() error {
	var faults []error
	if c.PinCore != -1 && !isCore(c.PinCore) {
		faults = append(faults, fmt.Errorf("pin-core: %d is none of the cores that this process may use; -1 pins to none", c.PinCore))
	}
	if c.Procs < 0 {
		faults = append(faults, fmt.Errorf("procs: %d is below 0", c.Procs))
	}
	if c.Reactors < 0 || c.Reactors > logic.MaxReactors {
		faults = append(faults, fmt.Errorf("reactors: %d is not in 0 to %d", c.Reactors, logic.MaxReactors))
	}
	if c.MaxConns < 0 {
		faults = append(faults, fmt.Errorf("max-conns: %d is below 0", c.MaxConns))
	}
	return errors.Join(faults...)
}

// isCore reports whether the process may run on that core.
func isCore(n int) bool {
	var cores unix.CPUSet
	return n >= 0 && unix.SchedGetaffinity(0, &cores) == nil && cores.IsSet(n)
}

func (c *Config) checkSessions() error {
	s := &c.Sessions
	var faults []error
	for _, span := range []struct {
		key          string
		value, least time.Duration
	}{
		{"drain-limit", c.DrainLimit, 0},
		{"sessions.reconnect-grace", s.ReconnectGrace, 0},
		{"sessions.connected-limit", s.ConnectedLimit, logic.TickEvery},
		{"sessions.proving-limit", s.ProvingLimit, logic.TickEvery},
		{"sessions.choosing-limit", s.ChoosingLimit, logic.TickEvery},
		{"sessions.refresh-every", s.RefreshEvery, logic.TickEvery},
		{"sessions.ping-every", s.PingEvery, time.Second},
		{"sessions.pass-validity", s.PassValidity, time.Second},
		{"sessions.device-lifetime", s.DeviceLifetime, 0},
	} {
		if span.value < span.least {
			faults = append(faults, fmt.Errorf("%s: %v is below %v", span.key, span.value, span.least))
		}
	}
	for key, value := range map[string]time.Duration{"sessions.ping-every": s.PingEvery, "sessions.pass-validity": s.PassValidity} {
		if value > time.Hour {
			faults = append(faults, fmt.Errorf("%s: %v is above %v", key, value, time.Hour))
		}
	}
	if s.SignInsPerMinute < 0 || s.SignInsPerMinute > 60_000 {
		faults = append(faults, fmt.Errorf("sessions.sign-ins-per-minute: %d is not in 0 to 60000", s.SignInsPerMinute))
	}
	if s.FactorDecoys < 0 || s.FactorDecoys > 100 {
		faults = append(faults, fmt.Errorf("sessions.factor-decoys: %d is not a share in percent, 0 to 100", s.FactorDecoys))
	}
	return errors.Join(faults...)
}

// checkAdvertise refuses names: DNS answers with addresses.
func (c *Config) checkAdvertise() error {
	if c.Advertise == "" {
		return nil
	}
	at, err := netip.ParseAddrPort(c.Advertise)
	if err != nil || at.Port() == 0 {
		return fmt.Errorf("advertise: %q is not IP:PORT with a port in 1 to 65535", c.Advertise)
	}
	if err := worlds.CheckIP(at.Addr()); err != nil {
		return fmt.Errorf("advertise: %w", err)
	}
	return nil
}

func (c *Config) checkRegion() error {
	r := &c.Region
	var faults []error
	for _, span := range []struct {
		key          string
		value, least time.Duration
	}{
		{"region.heartbeat", r.Heartbeat, 100 * time.Millisecond},
		{"region.refresh", r.Refresh, 100 * time.Millisecond},
		{"region.lease", r.Lease, time.Second},
		{"dns.ttl", c.DNS.TTL, 0},
	} {
		if span.value < span.least {
			faults = append(faults, fmt.Errorf("%s: %v is below %v", span.key, span.value, span.least))
		}
	}
	if r.Missed < 1 {
		faults = append(faults, fmt.Errorf("region.missed: %d is below 1", r.Missed))
	}
	if _, err := ParseSecondLogin(r.SecondLogin); err != nil {
		faults = append(faults, fmt.Errorf("region.second-login: %w", err))
	}
	return errors.Join(faults...)
}

func (c *Config) checkGateway() error {
	g := &c.Gateway
	var faults []error
	if g.Capacity < 1 || g.Capacity > worlds.MaxCapacity {
		faults = append(faults, fmt.Errorf("gateway.capacity: %d is not in 1 to %d", g.Capacity, worlds.MaxCapacity))
	}
	if g.QueueLimit < 0 {
		faults = append(faults, fmt.Errorf("gateway.queue-limit: %d is below 0", g.QueueLimit))
	}
	if g.QueueGrace < 0 {
		faults = append(faults, fmt.Errorf("gateway.queue-grace: %v is below 0", g.QueueGrace))
	}
	if _, err := ParseSecondLogin(g.SecondLogin); err != nil {
		faults = append(faults, fmt.Errorf("gateway.second-login: %w", err))
	}
	return errors.Join(faults...)
}
