package config

import "time"

// Config is everything an operator may set. See the package comment for where a value
// comes from.
type Config struct {
	// Data is the folder of the store and the control socket.
	Data string `koanf:"data"`
	// Grunt is the host:port where existing clients connect, Native the one for clients of
	// the native protocol (empty for nowhere), Admin the one for operators.
	Grunt  string `koanf:"grunt"`
	Native string `koanf:"native"`
	Admin  string `koanf:"admin"`
	// Builds are the client builds that may log in.
	Builds []uint16 `koanf:"builds"`
	// NativeBuilds are the builds of native clients that may log in; none for all.
	NativeBuilds []uint16 `koanf:"native-builds"`
	// NativeDecoys are the parameters that the server shows for names without an account.
	NativeDecoys []Decoy `koanf:"native-decoys"`
	// Reactors is how many event loops there are. Procs is how many threads run Go code
	// at once. 0 takes what fits the machine.
	Reactors int `koanf:"reactors"`
	Procs    int `koanf:"procs"`
	// PinCore is the core to which the logic's thread is pinned, -1 for none.
	PinCore int `koanf:"pin-core"`
	// MaxConns is how many connections there may be, 0 for what RLIMIT_NOFILE allows.
	MaxConns int `koanf:"max-conns"`
	// DrainLimit is how long a stop waits for clients that are logging in.
	DrainLimit time.Duration `koanf:"drain-limit"`
	// Node is the name of the process within its role, on the bus and in logs.
	Node string `koanf:"node"`
	// Advertise is the IP:PORT at which clients reach this login server, for DNS; empty
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
		// How long a client may stay in each state.
		ConnectedLimit time.Duration `koanf:"connected-limit"`
		ProvingLimit   time.Duration `koanf:"proving-limit"`
		ChoosingLimit  time.Duration `koanf:"choosing-limit"`
		// PushWorlds sends clients the list of worlds whenever it changes. RefreshEvery is
		// how often at most it is sent for changes of load alone.
		PushWorlds   bool          `koanf:"push-worlds"`
		RefreshEvery time.Duration `koanf:"refresh-every"`
		// SignInsPerMinute is how often a network's clients may sign in by a native
		// password, 0 for no limit.
		SignInsPerMinute int `koanf:"sign-ins-per-minute"`
		// PingEvery is how often a native client without other traffic sends a ping.
		PingEvery time.Duration `koanf:"ping-every"`
		// PassValidity is how long a native client's pass may stay unused.
		PassValidity time.Duration `koanf:"pass-validity"`
		// DeviceLifetime is how long a native client's device is remembered; 0 remembers
		// none.
		DeviceLifetime time.Duration `koanf:"device-lifetime"`
	} `koanf:"sessions"`
	Updates Updates `koanf:"updates"`
	Storage struct {
		// CacheMiB bounds the cache of table blocks.
		CacheMiB int `koanf:"cache-mib"`
	} `koanf:"storage"`
	Log     Log     `koanf:"log"`
	Bus     Bus     `koanf:"bus"`
	Region  Region  `koanf:"region"`
	Gateway Gateway `koanf:"gateway"`
	DNS     DNS     `koanf:"dns"`
	Worlds  []World `koanf:"worlds"`
}

// Log is what is logged and in which format.
type Log struct {
	// Level is debug, info, warn or error; debug logs each login.
	Level string `koanf:"level"`
	// Format is text or json.
	Format string `koanf:"format"`
}

// Updates bounds the sending of patches to clients that are too old.
type Updates struct {
	// Rate is how many MiB of patches the server sends a second, ClientRate how many one
	// client gets; 0 for no limit.
	Rate       float64 `koanf:"rate"`
	ClientRate float64 `koanf:"client-rate"`
	// AtOnce is how many clients are sent a patch at once; the others wait.
	AtOnce int `koanf:"at-once"`
	// StallLimit is how long a client may accept no bytes. AcceptLimit is how long a
	// player may take to accept the update.
	StallLimit  time.Duration `koanf:"stall-limit"`
	AcceptLimit time.Duration `koanf:"accept-limit"`
}

// Bus is how a process reaches the bus, or serves it.
type Bus struct {
	// URL is the URL of a bus that another process serves. If it is empty, dev and worlds
	// serve one; other roles take the one at Listen.
	URL string `koanf:"url"`
	// Listen is HOST:PORT of the bus that this process serves.
	Listen string `koanf:"listen"`
	// Dir is the folder of the bus's credentials; empty takes the folder bus within Data.
	Dir string `koanf:"dir"`
	// Creds is the file with the credentials of this process. CA is the file with the
	// certificates that it trusts. Empty takes them from Dir.
	Creds string `koanf:"creds"`
	CA    string `koanf:"ca"`
	// ClusterListen is HOST:PORT for the other servers of a cluster, Routes the addresses
	// of all of them.
	ClusterListen string   `koanf:"cluster-listen"`
	Routes        []string `koanf:"routes"`
}

// Region is the settings of a region's world managers.
type Region struct {
	// Heartbeat is how often a world sends a heartbeat. Missed is how many it may miss in
	// a row before it counts as offline.
	Heartbeat time.Duration `koanf:"heartbeat"`
	Missed    int           `koanf:"missed"`
	// Refresh is how often at most the load of a world is passed on.
	Refresh time.Duration `koanf:"refresh"`
	// Lease is how long a manager leads without renewing its lease.
	Lease time.Duration `koanf:"lease"`
	// SecondLogin is what happens to a login to an account that is in a world: it
	// replaces the session there, or it is refused.
	SecondLogin string `koanf:"second-login"`
}

// Gateway is a world and its gate.
type Gateway struct {
	World `koanf:",squash"`
	// Listen is HOST:PORT where its clients connect.
	Listen string `koanf:"listen"`
	// NativeListen is HOST:PORT where its native clients connect, empty for nowhere.
	// NativeAddress is the address that they are told, empty for NativeListen.
	NativeListen  string   `koanf:"native-listen"`
	NativeAddress string   `koanf:"native-address"`
	NativeBuilds  []uint16 `koanf:"native-builds"`
	Region        string   `koanf:"region"`
	// Routes are addresses for clients of certain networks.
	Routes []Route `koanf:"routes"`
	// Capacity is how many players may be in the world, QueueLimit how many may wait.
	Capacity   int `koanf:"capacity"`
	QueueLimit int `koanf:"queue-limit"`
	// QueueGrace is how long the place of a waiting player is kept after the connection
	// is lost.
	QueueGrace time.Duration `koanf:"queue-grace"`
	// Priority are the accounts that wait in a queue of their own, ahead of the others.
	Priority []string `koanf:"priority"`
	// SecondLogin is as in Region.
	SecondLogin string `koanf:"second-login"`
}

// Route is the address that clients of a network are told.
type Route struct {
	Network string `koanf:"network"`
	Address string `koanf:"address"`
	// Native is the address for native clients.
	Native string `koanf:"native"`
}

// Decoy is one set of parameters of native verifiers, and its share among names
// without an account.
type Decoy struct {
	Group     int    `koanf:"group"`
	MemoryKiB uint32 `koanf:"memory-kib"`
	Passes    uint32 `koanf:"passes"`
	Lanes     uint32 `koanf:"lanes"`
	Weight    int    `koanf:"weight"`
}

// DNS is the zone of the login servers.
type DNS struct {
	Listen     string        `koanf:"listen"`
	Zone       string        `koanf:"zone"`
	NS         []string      `koanf:"ns"`
	Hostmaster string        `koanf:"hostmaster"`
	TTL        time.Duration `koanf:"ttl"`
	// Names are further names for all login servers. Service is the name of the SRV
	// records.
	Names   []string `koanf:"names"`
	Service string   `koanf:"service"`
	// ForgetAfter is how long a login server may be silent. MaxAnswers is how many are in
	// one answer.
	ForgetAfter time.Duration `koanf:"forget-after"`
	MaxAnswers  int           `koanf:"max-answers"`
	// RateLimit is how many answers a second a client's network gets.
	RateLimit int `koanf:"rate-limit"`
}

// World is one world of the list.
type World struct {
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
