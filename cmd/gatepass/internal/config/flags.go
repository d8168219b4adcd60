package config

import (
	"time"

	"github.com/spf13/pflag"
)

// CommonFlags defines the flags of every role.
func CommonFlags(f *pflag.FlagSet) {
	f.String("config", "", "read a TOML configuration `FILE` (docs/configuration.md)")
	f.String("data", "data", "folder of the store, the patches, the bus and the control socket")
	f.String("admin", "127.0.0.1:9724", "`HOST:PORT` of health, metrics and pprof; keep it on loopback")
	f.Duration("drain-limit", 5*time.Second, "how long a stop waits for clients with an operation in progress")
	f.String("log.level", "info", "debug, info, warn or error; debug has a line for each login")
	f.String("log.format", "text", "text or json")
	f.Int("procs", 0, "threads that run Go code at once; 0 chooses by the machine")
	BusFlags(f)
}

// BusFlags defines the flags that say where the bus is.
func BusFlags(f *pflag.FlagSet) {
	f.String("bus.url", "", "`URL` of the bus; empty is the one on this machine, at bus.listen")
	f.String("bus.dir", "", "`DIR` with the bus's credentials; empty is bus in the data folder")
	f.String("bus.creds", "", "`FILE` with this process's credentials; empty takes them from bus.dir")
}

// EdgeFlags defines the flags of the roles that serve clients.
func EdgeFlags(f *pflag.FlagSet) {
	f.String("grunt", "127.0.0.1:3724", "`HOST:PORT` for game clients")
	f.String("native", "127.0.0.1:3725", "`HOST:PORT` for clients of the native protocol; empty for none")
	f.Int("reactors", 0, "event loops; 0 chooses by the machine")
	f.Int("pin-core", -1, "core to whose thread the logic is locked; -1 leaves it to the scheduler")
	f.Int("max-conns", 0, "connections at once; 0 takes what the limit of open files leaves")
}

// BusListenFlag defines the flag of the roles that serve the bus.
func BusListenFlag(f *pflag.FlagSet) {
	f.String("bus.listen", "127.0.0.1:4222", "`HOST:PORT` of the bus that this process serves")
}
