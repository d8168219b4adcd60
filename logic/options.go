package logic

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/guard"
	"gatepass/storage"
	"gatepass/worlds"
)

// Options configure the logic.
type Options struct {
	// Versions say which builds may log in, and how the others are brought up to date. A
	// build that cannot be gets the protocol's version error.
	Versions Versions
	// UpdatesAtOnce is how many files are sent at once; other clients wait in a queue.
	UpdatesAtOnce int
	// AcceptLimit is how long a player has to accept an offered file.
	AcceptLimit time.Duration
	// NativeDecoys are the parameters that names without a native account pretend to
	// have, by how often accounts have them; empty for the default ones.
	NativeDecoys []auth.Weighted
	// DeviceLifetime is how long a device is remembered, 0 for not at all.
	DeviceLifetime time.Duration
	// Rules decide who may log in, in order of priority; nil for DefaultRules.
	Rules []Rule
	// SignInsPerMinute is how many times a minute the clients of one network, an IPv4
	// address or 64 bits of IPv6, may sign in by a native password; 0 for no limit.
	SignInsPerMinute int
	// PingEvery is how often a silent native client pings; after three times as long
	// without a message its session ends.
	PingEvery time.Duration
	// PassValidity is how long a pass may stay unused at a gate.
	PassValidity time.Duration
	// Secret is what salts are made of for names without an account, unless Decoys has
	// the region's. It must be the same after a restart, else a stranger can tell such names
	// from accounts.
	Secret [32]byte
	// Decoys is what the store has kept of an earlier start.
	Decoys storage.Decoys
	// Factors says which second factors a client of a build can be asked for; nil
	// for none, and then accounts that have one cannot log in.
	Factors func(build uint16) codec.Factors
	// FactorDecoys is the share, in percent, of names without an account that are
	// asked for a second factor. An operator sets it to the share of accounts that have
	// one: then being asked does not tell that an account exists.
	FactorDecoys int
	// Node is this server's name in its region.
	Node worlds.Node
	// PushWorlds sends the list of worlds unasked when it changes. Clients of the
	// grunt protocol ask for it every few seconds by themselves; whether one of
	// them takes it unasked is not known.
	PushWorlds bool
	// RefreshEvery is how often at most the list is sent unasked when only the
	// worlds' figures have changed.
	RefreshEvery time.Duration
	// ReconnectGrace is how long a session key is kept after its connection is closed.
	ReconnectGrace time.Duration
	// DurableLogins answers a login only once its record is on disk.
	DurableLogins bool
	// Limits of the time in each state; all above 0.
	ConnectedLimit, ProvingLimit, WorkLimit, ChoosingLimit time.Duration
	// Logger gets what an operator wants to know. It must not block.
	Logger *slog.Logger
}

// EnsureDefaults fills in what was left empty.
func (o *Options) EnsureDefaults() {
	if o.UpdatesAtOnce == 0 {
		o.UpdatesAtOnce = DefaultUpdatesAtOnce
	}
	if o.Node == "" {
		o.Node = worlds.LoginNode("login")
	}
	if len(o.NativeDecoys) == 0 {
		o.NativeDecoys = []auth.Weighted{{Params: srp6a.DefaultParams(), Weight: 1}}
	}
	if o.Rules == nil {
		o.Rules = DefaultRules(o.SignInsPerMinute)
	}
	if o.Factors == nil {
		o.Factors = func(uint16) codec.Factors { return 0 }
	}
	for _, d := range []struct {
		limit *time.Duration
		value time.Duration
	}{
		{&o.ConnectedLimit, DefaultConnectedLimit},
		{&o.ProvingLimit, DefaultProvingLimit},
		{&o.WorkLimit, DefaultWorkLimit},
		{&o.ChoosingLimit, DefaultChoosingLimit},
		{&o.RefreshEvery, DefaultRefreshEvery},
		{&o.PingEvery, DefaultPingEvery},
		{&o.PassValidity, DefaultPassValidity},
		{&o.AcceptLimit, DefaultAcceptLimit},
	} {
		if *d.limit == 0 {
			*d.limit = d.value
		}
	}
}

// Validate reports every fault at once.
func (o *Options) Validate() error {
	var faults []error
	if o.Versions == nil {
		faults = append(faults, errors.New("versions: are needed"))
	}
	if o.UpdatesAtOnce < 1 {
		faults = append(faults, fmt.Errorf("updates at once: %d is below 1", o.UpdatesAtOnce))
	}
	if o.Secret == [32]byte{} {
		faults = append(faults, errors.New("secret: must not be zero"))
	}
	if o.FactorDecoys < 0 || o.FactorDecoys > 100 {
		faults = append(faults, fmt.Errorf("factor-decoys: %d is not a share in percent, 0 to 100", o.FactorDecoys))
	}
	if o.ReconnectGrace < 0 {
		faults = append(faults, fmt.Errorf("reconnect-grace: %v is below 0", o.ReconnectGrace))
	}
	if o.SignInsPerMinute < 0 || o.SignInsPerMinute > guard.MaxPerMinute {
		faults = append(faults, fmt.Errorf("sign-ins-per-minute: %d is not in 0 to %d", o.SignInsPerMinute, guard.MaxPerMinute))
	}
	if o.DeviceLifetime < 0 {
		faults = append(faults, fmt.Errorf("device-lifetime: %v is below 0", o.DeviceLifetime))
	}
	for name, d := range map[string]time.Duration{
		"connected": o.ConnectedLimit, "proving": o.ProvingLimit, "work": o.WorkLimit, "choosing": o.ChoosingLimit,
		"refresh": o.RefreshEvery, "ping": o.PingEvery, "pass": o.PassValidity, "accept": o.AcceptLimit,
	} {
		if d < TickEvery {
			faults = append(faults, fmt.Errorf("%s limit: %v is below %v", name, d, TickEvery))
		}
	}
	if err := o.Node.Validate(); err != nil {
		faults = append(faults, err)
	}
	if o.Logger == nil {
		faults = append(faults, errors.New("logger: is needed"))
	}
	return errors.Join(faults...)
}
