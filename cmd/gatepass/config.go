package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"gatepass/logic"
	"gatepass/patches"
	"gatepass/server"
	"gatepass/worlds"
	"gatepass/worlds/dns"
)

// config is everything an operator may set. Each value comes from, in rising
// order: the default, the configuration file, the environment (GATEPASS_ and
// the key in capitals, dots as two underscores: GATEPASS_LOG__LEVEL), a flag.
type config struct {
	// Data is the folder of the store and the control socket.
	Data string `koanf:"data"`
	// Grunt is where existing clients connect, Native where those of the native
	// protocol do (empty for nowhere), Admin where operators look: host:port.
	Grunt  string `koanf:"grunt"`
	Native string `koanf:"native"`
	Admin  string `koanf:"admin"`
	// Builds are the client builds that may log in.
	Builds []uint16 `koanf:"builds"`
	// NativeBuilds are those of native clients; none for all.
	NativeBuilds []uint16 `koanf:"native-builds"`
	// NativeDecoys are the parameters that names without an account pretend to have.
	NativeDecoys []decoyConfig `koanf:"native-decoys"`
	// Reactors is how many event loops there are, 0 for what fits the machine;
	// Procs how many threads run Go code at once, likewise.
	Reactors int `koanf:"reactors"`
	Procs    int `koanf:"procs"`
	// PinCore pins the logic to that core, -1 for none.
	PinCore int `koanf:"pin-core"`
	// MaxConns is how many connections there may be, 0 for what RLIMIT_NOFILE
	// leaves.
	MaxConns int `koanf:"max-conns"`
	// DrainLimit is how long a stop waits for clients that are logging in.
	DrainLimit time.Duration `koanf:"drain-limit"`
	// Node is the process's own name within its role, on the bus and in logs.
	Node string `koanf:"node"`
	// Advertise is IP:PORT where clients reach this login server, for DNS; empty
	// takes Grunt.
	Advertise string `koanf:"advertise"`
	Sessions  struct {
		// ReconnectGrace is how long a session key outlives its connection.
		ReconnectGrace time.Duration `koanf:"reconnect-grace"`
		// DurableLogins answers a login only once its record is on disk.
		DurableLogins bool `koanf:"durable-logins"`
		// FactorDecoys is the share of unknown names, in percent, that are asked
		// for a second factor.
		FactorDecoys int `koanf:"factor-decoys"`
		// The limits of the time a client may take.
		ConnectedLimit time.Duration `koanf:"connected-limit"`
		ProvingLimit   time.Duration `koanf:"proving-limit"`
		ChoosingLimit  time.Duration `koanf:"choosing-limit"`
		// PushWorlds sends clients the list of worlds unasked when it changes,
		// RefreshEvery how often at most for figures of load alone.
		PushWorlds   bool          `koanf:"push-worlds"`
		RefreshEvery time.Duration `koanf:"refresh-every"`
		// SignInsPerMinute is how often a network's clients may sign in by a native
		// password, 0 for no limit.
		SignInsPerMinute int `koanf:"sign-ins-per-minute"`
		// PingEvery is how often a silent native client shows itself.
		PingEvery time.Duration `koanf:"ping-every"`
		// PassValidity is how long a native client's pass may stay unused.
		PassValidity time.Duration `koanf:"pass-validity"`
		// DeviceLifetime is how long a native client's device is remembered, 0 for not
		// at all.
		DeviceLifetime time.Duration `koanf:"device-lifetime"`
	} `koanf:"sessions"`
	Updates updatesConfig `koanf:"updates"`
	Storage struct {
		// CacheMiB bounds the cache of table blocks.
		CacheMiB int `koanf:"cache-mib"`
	} `koanf:"storage"`
	Log     logConfig     `koanf:"log"`
	Bus     busConfig     `koanf:"bus"`
	Region  regionConfig  `koanf:"region"`
	Gateway gatewayConfig `koanf:"gateway"`
	DNS     dnsConfig     `koanf:"dns"`
	Worlds  []worldConfig `koanf:"worlds"`

	// keepKeys says that there are other login servers, which may claim keys while
	// this one drains.
	keepKeys bool
	// servesBoth says that this process serves clients and the bus.
	servesBoth bool
}

// logConfig is what the log says and how.
type logConfig struct {
	// Level is debug, info, warn or error; debug has a line a login.
	Level string `koanf:"level"`
	// Format is text or json.
	Format string `koanf:"format"`
}

// updatesConfig bounds the sending of patches to clients that are too old.
type updatesConfig struct {
	// Rate is how many MiB a second of patches leave the server, ClientRate how many
	// one client gets; 0 for no limit.
	Rate       float64 `koanf:"rate"`
	ClientRate float64 `koanf:"client-rate"`
	// AtOnce is how many clients are sent one at once; the others wait in line.
	AtOnce int `koanf:"at-once"`
	// StallLimit is how long a client may take nothing, AcceptLimit how long a player
	// may think about it.
	StallLimit  time.Duration `koanf:"stall-limit"`
	AcceptLimit time.Duration `koanf:"accept-limit"`
}

// busConfig is how a process reaches the bus, or serves it.
type busConfig struct {
	// URL is of a bus that others serve; empty serves one (dev and worlds), or
	// takes the one at Listen.
	URL string `koanf:"url"`
	// Listen is HOST:PORT of the bus that this process serves.
	Listen string `koanf:"listen"`
	// Dir is the folder of the bus's credentials; empty is bus within Data.
	Dir string `koanf:"dir"`
	// Creds is the file with this process's own, CA the certificates it trusts;
	// empty takes them from Dir.
	Creds string `koanf:"creds"`
	CA    string `koanf:"ca"`
	// ClusterListen and Routes join several buses to one.
	ClusterListen string   `koanf:"cluster-listen"`
	Routes        []string `koanf:"routes"`
}

// regionConfig is what the managers of a region go by.
type regionConfig struct {
	// Heartbeat is how often a world shows itself, Missed how many times it may
	// fail to before it counts as offline.
	Heartbeat time.Duration `koanf:"heartbeat"`
	Missed    int           `koanf:"missed"`
	// Refresh is how often at most a world's figures of load are passed on.
	Refresh time.Duration `koanf:"refresh"`
	// Lease is how long a manager leads without renewing it.
	Lease time.Duration `koanf:"lease"`
	// SecondLogin is replace or refuse.
	SecondLogin string `koanf:"second-login"`
}

// gatewayConfig is a world and its gate.
type gatewayConfig struct {
	worldConfig `koanf:",squash"`
	// Listen is HOST:PORT where its clients connect.
	Listen string `koanf:"listen"`
	// NativeListen is where its native clients connect, empty for nowhere;
	// NativeAddress what they are told, empty for NativeListen.
	NativeListen  string   `koanf:"native-listen"`
	NativeAddress string   `koanf:"native-address"`
	NativeBuilds  []uint16 `koanf:"native-builds"`
	Region        string   `koanf:"region"`
	// Routes are addresses for clients of certain networks.
	Routes []routeConfig `koanf:"routes"`
	// Capacity is how many may be in, QueueLimit how many may wait.
	Capacity   int `koanf:"capacity"`
	QueueLimit int `koanf:"queue-limit"`
	// QueueGrace is how long the place of one who drops while waiting is kept.
	QueueGrace time.Duration `koanf:"queue-grace"`
	// Priority are accounts that wait in a queue of their own, ahead.
	Priority []string `koanf:"priority"`
	// SecondLogin is replace or refuse.
	SecondLogin string `koanf:"second-login"`
}

// routeConfig is an address for the clients of a network.
type routeConfig struct {
	Network string `koanf:"network"`
	Address string `koanf:"address"`
	// Native is the same for native clients.
	Native string `koanf:"native"`
}

// decoyConfig is one set of parameters of native verifiers, and how many accounts
// have it.
type decoyConfig struct {
	Group     int    `koanf:"group"`
	MemoryKiB uint32 `koanf:"memory-kib"`
	Passes    uint32 `koanf:"passes"`
	Lanes     uint32 `koanf:"lanes"`
	Weight    int    `koanf:"weight"`
}

// dnsConfig is the zone of the login servers.
type dnsConfig struct {
	Listen     string        `koanf:"listen"`
	Zone       string        `koanf:"zone"`
	NS         []string      `koanf:"ns"`
	Hostmaster string        `koanf:"hostmaster"`
	TTL        time.Duration `koanf:"ttl"`
	// Names are further names for all login servers, Service where the SRV records
	// are.
	Names   []string `koanf:"names"`
	Service string   `koanf:"service"`
	// ForgetAfter is how long a login server may be silent, MaxAnswers how many are
	// in one answer.
	ForgetAfter time.Duration `koanf:"forget-after"`
	MaxAnswers  int           `koanf:"max-answers"`
	// RateLimit is how many answers a second a client's network gets.
	RateLimit int `koanf:"rate-limit"`
}

// worldConfig is one world of the list.
type worldConfig struct {
	ID         uint8    `koanf:"id"`
	Name       string   `koanf:"name"`
	Address    string   `koanf:"address"`
	Kind       string   `koanf:"kind"`
	Category   uint8    `koanf:"category"`
	Population float32  `koanf:"population"`
	Offline    bool     `koanf:"offline"`
	Locked     bool     `koanf:"locked"`
	Builds     []uint16 `koanf:"builds"`
}

// defaultKind is the kind of a world that has none.
const defaultKind = "normal"

func defaultConfig() map[string]any {
	return map[string]any{
		"data": "data", "grunt": "127.0.0.1:3724", "native": "127.0.0.1:3725", "admin": "127.0.0.1:9724",
		"builds":   []uint16{5875, 6005, 6141, 8606, 12340}, // 1.12.1 to 1.12.3, 2.4.3, 3.3.5a
		"pin-core": -1, "drain-limit": 5 * time.Second,
		"sessions.reconnect-grace":     logic.DefaultReconnectGrace,
		"sessions.connected-limit":     logic.DefaultConnectedLimit,
		"sessions.proving-limit":       logic.DefaultProvingLimit,
		"sessions.choosing-limit":      logic.DefaultChoosingLimit,
		"storage.cache-mib":            defaultCacheMiB,
		"sessions.refresh-every":       logic.DefaultRefreshEvery,
		"sessions.ping-every":          logic.DefaultPingEvery,
		"sessions.sign-ins-per-minute": logic.DefaultSignInsPerMinute,
		"sessions.pass-validity":       logic.DefaultPassValidity,
		"sessions.device-lifetime":     logic.DefaultDeviceLifetime,
		"updates.rate":                 100.0, "updates.client-rate": 0.0, "updates.at-once": logic.DefaultUpdatesAtOnce,
		"updates.stall-limit": server.DefaultTransferStall, "updates.accept-limit": logic.DefaultAcceptLimit,
		"log.level": "info", "log.format": "text",
		"bus.listen":       "127.0.0.1:4222",
		"region.heartbeat": 2 * time.Second, "region.missed": 3, "region.refresh": 5 * time.Second,
		"region.lease": 3 * time.Second, "region.second-login": "replace",
		"gateway.listen": "127.0.0.1:8085", "gateway.builds": []uint16{5875, 6005, 6141}, "gateway.kind": defaultKind, "gateway.category": 1,
		"gateway.capacity": 1000, "gateway.queue-limit": 10_000, "gateway.queue-grace": time.Minute,
		"gateway.second-login": "replace",
		"dns.listen":           "127.0.0.1:5353", "dns.ttl": dns.DefaultTTL, "dns.rate-limit": dns.DefaultRateLimit,
		"dns.service": dns.DefaultService, "dns.forget-after": dns.DefaultForgetAfter, "dns.max-answers": dns.DefaultMaxAnswers,
	}
}

// commonFlags are those of every role.
func commonFlags(f *pflag.FlagSet) {
	f.String("config", "", "read a TOML configuration `FILE` (docs/configuration.md)")
	f.String("data", "data", "folder of the store, the patches, the bus and the control socket")
	f.String("admin", "127.0.0.1:9724", "`HOST:PORT` of health, metrics and pprof; keep it on loopback")
	f.Duration("drain-limit", 5*time.Second, "how long a stop waits for clients that have something under way")
	f.String("log.level", "info", "debug, info, warn or error; debug has a line a login")
	f.String("log.format", "text", "text or json")
	f.Int("procs", 0, "threads that run Go code at once; 0 takes what fits the machine")
	busFlags(f)
}

// busFlags say where the bus is.
func busFlags(f *pflag.FlagSet) {
	f.String("bus.url", "", "`URL` of the bus; empty is the one on this machine, at bus.listen")
	f.String("bus.dir", "", "`DIR` with the bus's credentials; empty is bus in the data folder")
	f.String("bus.creds", "", "`FILE` with this process's credentials; empty takes them from bus.dir")
}

// edgeFlags are the flags of those who serve clients.
func edgeFlags(f *pflag.FlagSet) {
	f.String("grunt", "127.0.0.1:3724", "`HOST:PORT` where game clients connect")
	f.String("native", "127.0.0.1:3725", "`HOST:PORT` where clients of the native protocol connect; empty for nowhere")
	f.Int("reactors", 0, "event loops; 0 takes what fits the machine")
	f.Int("pin-core", -1, "lock the logic to a thread on that core; -1 leaves it to the scheduler")
	f.Int("max-conns", 0, "connections at once; 0 takes what the limit of open files leaves")
}

// busListenFlag is for those who serve the bus.
func busListenFlag(f *pflag.FlagSet) {
	f.String("bus.listen", "127.0.0.1:4222", "`HOST:PORT` of the bus that this process serves")
}

// loadConfig reads the configuration and reports everything that is wrong in it
// at once. extra are defaults of the command.
func loadConfig(flags *pflag.FlagSet, extra map[string]any) (*config, error) {
	defaults := koanf.New(".")
	for _, d := range []map[string]any{defaultConfig(), extra} {
		if err := defaults.Load(confmap.Provider(d, "."), nil); err != nil {
			return nil, err
		}
	}
	k := defaults.Copy()
	if path, _ := flags.GetString("config"); path != "" {
		if err := k.Load(file.Provider(path), toml.Parser()); err != nil {
			return nil, usageError{fmt.Errorf("configuration file %s: %w", path, placed(path, err))}
		}
	}
	envErr := loadEnv(k)
	if envErr != nil {
		envErr = fmt.Errorf("environment: %w", envErr)
	}
	known := configKeys(reflect.TypeFor[config](), "")
	fromFlags := posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed || !slices.Contains(known, f.Name) {
			return "", nil // not set, or the command's own
		}
		return f.Name, posflag.FlagVal(flags, f)
	})
	if err := k.Load(fromFlags, nil); err != nil {
		return nil, err
	}
	c, err := readConfig(k, defaults)
	if err != nil {
		err = fmt.Errorf("configuration: %w", err)
	}
	if err = errors.Join(envErr, err); err != nil {
		written := logConfig{Format: k.String("log.format")} // it may be good where others are not
		return nil, written.ending(usageError{err})
	}
	c.fitMachine()
	return c, nil
}

// fitMachine fills in what was left to it; docs/performance.md says why and
// what was measured. On one or two cores everything shares one thread, since
// waking a second costs more than it brings; from four on the logic and the
// sender have room beside the reactors.
func (c *config) fitMachine() {
	cores := runtime.GOMAXPROCS(0) // what the machine or its control group gives
	if c.Procs == 0 {
		c.Procs = max(1, cores/2)
		if cores >= 4 {
			c.Procs = cores
		}
	}
	if c.Reactors == 0 {
		c.Reactors = min(max(1, (c.Procs-2)/2), logic.MaxReactors)
	}
	if c.Bus.Dir == "" {
		c.Bus.Dir = filepath.Join(c.Data, "bus")
	}
	if c.Advertise == "" {
		c.Advertise = c.Grunt
	}
}

func (c *config) worldList() ([]worlds.World, error) {
	var faults []error
	var list []worlds.World
	for i := range c.Worlds {
		w, err := c.Worlds[i].world()
		if err != nil {
			faults = append(faults, fmt.Errorf("worlds: %w", err))
			continue
		}
		list = append(list, w)
	}
	faults = append(faults, worlds.NewList(worlds.EncodeGrunt).SetStatic(list))
	return list, errors.Join(faults...)
}

// world is the world as a list takes it.
func (w *worldConfig) world() (worlds.World, error) {
	kind, err := worlds.ParseKind(cmp.Or(w.Kind, defaultKind))
	if err != nil {
		return worlds.World{}, fmt.Errorf("%q: %w", w.Name, err)
	}
	return worlds.World{
		ID: w.ID, Name: w.Name, Address: w.Address, Kind: kind, Category: w.Category,
		Population: w.Population, Offline: w.Offline, Locked: w.Locked, Builds: w.Builds,
	}, nil
}

// storeDir is the folder of the store within the data folder.
func (c *config) storeDir() string { return filepath.Join(c.Data, "accounts") }

// patchesDir is the folder of the catalogue of patches within the data folder.
func (c *config) patchesDir() string { return filepath.Join(c.Data, "patches") }

// knownBuilds are the builds that the configuration lets in.
func (c *config) knownBuilds() patches.Defaults {
	return patches.Defaults{Grunt: c.Builds, Native: c.NativeBuilds}
}

// mustBeFolder gives a clear error when the data folder is something else.
func (c *config) mustBeFolder() error {
	if info, err := os.Stat(c.Data); err == nil && !info.IsDir() {
		return usageError{fmt.Errorf("data: %s is a file, not a folder", c.Data)}
	}
	return nil
}
