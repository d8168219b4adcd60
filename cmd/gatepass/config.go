package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"gatepass/logic"
	"gatepass/storage"
	"gatepass/worlds"
)

// config is everything an operator may set. Each value comes from, in rising
// order: the default, the configuration file, the environment (GATEPASS_ and
// the key in capitals, dots as two underscores: GATEPASS_LOG__LEVEL), a flag.
type config struct {
	// Data is the folder of the store and the control socket.
	Data string `koanf:"data"`
	// Grunt is where clients connect, Admin where operators look: host:port.
	Grunt string `koanf:"grunt"`
	Admin string `koanf:"admin"`
	// Builds are the client builds that may log in.
	Builds []uint16 `koanf:"builds"`
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
	Sessions   struct {
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
	} `koanf:"sessions"`
	Storage struct {
		// CacheMiB bounds the cache of table blocks.
		CacheMiB int `koanf:"cache-mib"`
	} `koanf:"storage"`
	Log struct {
		// Level is debug, info, warn or error; debug has a line a login.
		Level string `koanf:"level"`
		// Format is text or json.
		Format string `koanf:"format"`
	} `koanf:"log"`
	Worlds []worldConfig `koanf:"worlds"`
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

func defaultConfig() map[string]any {
	return map[string]any{
		"data": "data", "grunt": "127.0.0.1:3724", "admin": "127.0.0.1:9724",
		"builds":   logic.DefaultBuilds(),
		"pin-core": -1, "drain-limit": 5 * time.Second,
		"sessions.reconnect-grace": logic.DefaultReconnectGrace,
		"sessions.connected-limit": logic.DefaultConnectedLimit,
		"sessions.proving-limit":   logic.DefaultProvingLimit,
		"sessions.choosing-limit":  logic.DefaultChoosingLimit,
		"storage.cache-mib":        storage.DefaultCacheBytes >> 20,
		"log.level":                "info", "log.format": "text",
	}
}

// serverFlags are the flags that set configuration keys.
func serverFlags(f *pflag.FlagSet) {
	f.String("config", "", "read a TOML configuration `FILE` (docs/configuration.md)")
	f.String("data", "data", "folder of the store and the control socket")
	f.String("grunt", "127.0.0.1:3724", "`HOST:PORT` where game clients connect")
	f.String("admin", "127.0.0.1:9724", "`HOST:PORT` of health, metrics and pprof; keep it on loopback")
	f.Int("reactors", 0, "event loops; 0 takes what fits the machine")
	f.Int("procs", 0, "threads that run Go code at once; 0 takes what fits the machine")
	f.Int("pin-core", -1, "lock the logic to a thread on that core; -1 leaves it to the scheduler")
	f.Int("max-conns", 0, "connections at once; 0 takes what the limit of open files leaves")
	f.Duration("drain-limit", 5*time.Second, "how long a stop waits for clients that are logging in")
	f.String("log.level", "info", "debug, info, warn or error; debug has a line a login")
	f.String("log.format", "text", "text or json")
}

// loadConfig reads the configuration and reports everything that is wrong in it
// at once. extra are defaults of the command.
func loadConfig(flags *pflag.FlagSet, extra map[string]any) (*config, error) {
	k := koanf.New(".")
	for _, defaults := range []map[string]any{defaultConfig(), extra} {
		if err := k.Load(confmap.Provider(defaults, "."), nil); err != nil {
			return nil, err
		}
	}
	if path, _ := flags.GetString("config"); path != "" {
		if err := k.Load(file.Provider(path), toml.Parser()); err != nil {
			return nil, usageError{fmt.Errorf("configuration file %s: %w", path, err)}
		}
	}
	if err := loadEnv(k); err != nil {
		return nil, usageError{fmt.Errorf("environment: %w", err)}
	}
	fromFlags := posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if f.Name == "config" || !f.Changed {
			return "", nil
		}
		return f.Name, posflag.FlagVal(flags, f)
	})
	if err := k.Load(fromFlags, nil); err != nil {
		return nil, err
	}
	c, err := decodeConfig(k)
	if err == nil {
		err = c.validate()
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("configuration: %w", err)}
	}
	c.fitMachine()
	return c, nil
}

// fitMachine fills in what was left to it; docs/architecture.md says why and
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
}

func (c *config) worldList() ([]worlds.World, error) {
	var faults []error
	var list []worlds.World
	for _, w := range c.Worlds {
		kind, err := worlds.ParseKind(w.Kind)
		if err != nil {
			faults = append(faults, fmt.Errorf("worlds: %q: %w", w.Name, err))
			continue
		}
		list = append(list, worlds.World{
			ID: w.ID, Name: w.Name, Address: w.Address, Kind: kind, Category: w.Category,
			Population: w.Population, Offline: w.Offline, Locked: w.Locked, Builds: w.Builds,
		})
	}
	faults = append(faults, worlds.NewList(worlds.EncodeGrunt).Set(list))
	return list, errors.Join(faults...)
}

// storeDir is the folder of the store within the data folder.
func (c *config) storeDir() string { return filepath.Join(c.Data, "accounts") }

// mustBeFolder gives a clear error when the data folder is something else.
func (c *config) mustBeFolder() error {
	if info, err := os.Stat(c.Data); err == nil && !info.IsDir() {
		return usageError{fmt.Errorf("data: %s is a file, not a folder", c.Data)}
	}
	return nil
}
