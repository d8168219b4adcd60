package gate

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// Options configure a Gate. World, Addr, Bus and Logger are needed.
type Options struct {
	// World is what the world says of itself. Its Builds are those that are let
	// in: at least one, and all of one era (world.EraOf). NativeBuilds are those of
	// native clients, none for all. An Address that is empty is where the gate
	// listens; an Incarnation of 0 is drawn, and any other must be random too.
	World worlds.Registration
	// Addr is where to listen, host:port.
	Addr string
	// NativeAddr is where to listen for native clients, host:port; empty for nowhere,
	// then World.Native must be empty too. A World.Native that is empty is where the
	// gate listens.
	NativeAddr string
	// Bus is the connection to the region, of the world's own node. The gate does
	// not close it.
	Bus *bus.Conn
	// Handler is the game; nil for CharacterScreen.
	Handler Handler
	// Class tells how early a player who has to wait gets in; nil for 0, all alike.
	// It is called on the logic goroutine and must not block.
	Class func(account string) Class
	// Load tells how busy the world is, 0 … 1, for heartbeats; nil for players by
	// capacity. It is called on a goroutine of the gate.
	Load func() float32
	// SecondLogin is what happens when a client proves that it has the key of an
	// account whose player is here: the newer connection takes the place of the
	// older, in the world or in line, as a client whose network has changed needs
	// it; or the newer is told that the account is online. It is about one key
	// only: of two logins the directory ends one.
	SecondLogin worlds.SecondLogin
	// MaxQueue is how many may wait in line, MaxClaims how many may be getting
	// their keys at once; 0 takes the defaults.
	MaxQueue, MaxClaims int
	// ReconnectGrace is how long a key outlives its connection, which that of a native
	// client does not, QueueGrace how long a place in line does; 0 takes the defaults, below 0 is not at all.
	ReconnectGrace, QueueGrace time.Duration
	// HandshakeLimit is for a client to introduce itself, ClaimLimit for getting
	// its key, IdleLimit for it to say something once it is in, and for a native one
	// in line too; 0 takes the defaults.
	HandshakeLimit, ClaimLimit, IdleLimit time.Duration
	// RefusalDelay is when a client that is not who it says is told so, from its
	// proof on; 0 takes the default, below 0 is at once. It should be above what
	// the directory waits for a key.
	RefusalDelay time.Duration
	// Reactors is how many event loops there are, 0 for the default; MaxConns how
	// many connections there may be at once, 0 for what RLIMIT_NOFILE leaves.
	Reactors, MaxConns int
	// Random fills b with random bytes; nil for the system's. Anywhere.
	Random func(b []byte)
	// Logger gets what an operator wants to know. It must not block.
	Logger *slog.Logger
}

// EnsureDefaults fills in what was left empty.
func (o *Options) EnsureDefaults() {
	if o.Handler == nil {
		o.Handler = CharacterScreen{}
	}
	if o.Class == nil {
		o.Class = func(string) Class { return 0 }
	}
	if o.Random == nil {
		o.Random = systemRandom
	}
	for o.World.Incarnation == 0 {
		var b [8]byte
		o.Random(b[:])
		o.World.Incarnation = binary.LittleEndian.Uint64(b[:])
	}
	for _, n := range []struct {
		number *int
		value  int
	}{
		{&o.MaxQueue, DefaultMaxQueue}, {&o.MaxClaims, DefaultMaxClaims}, {&o.Reactors, DefaultReactors},
	} {
		if *n.number == 0 {
			*n.number = n.value
		}
	}
	for _, d := range []struct {
		limit *time.Duration
		value time.Duration
	}{
		{&o.ReconnectGrace, DefaultReconnectGrace}, {&o.QueueGrace, DefaultQueueGrace},
		{&o.HandshakeLimit, DefaultHandshakeLimit}, {&o.ClaimLimit, DefaultClaimLimit},
		{&o.IdleLimit, DefaultIdleLimit}, {&o.RefusalDelay, DefaultRefusalDelay},
	} {
		if *d.limit == 0 {
			*d.limit = d.value
		}
		*d.limit = max(*d.limit, 0)
	}
}

// Validate reports every fault at once.
func (o *Options) Validate() error {
	faults := o.coreFaults()
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		faults = append(faults, fmt.Errorf("address %q: %w", o.Addr, err))
	}
	if _, _, err := net.SplitHostPort(o.NativeAddr); err != nil && o.NativeAddr != "" {
		faults = append(faults, fmt.Errorf("native address %q: %w", o.NativeAddr, err))
	}
	for _, at := range []struct{ told, listen, field string }{
		{o.World.Address, o.Addr, "World.Address"}, {o.World.Native, o.NativeAddr, "World.Native"},
	} {
		if at.told == unknownAddress && worlds.EveryAddress(at.listen) {
			faults = append(faults, fmt.Errorf("%s: is needed, since the gate listens on %q, which is nothing that clients could be told", at.field, at.listen))
		}
	}
	if o.NativeAddr == "" && o.World.Native != "" {
		faults = append(faults, fmt.Errorf("native address: there is none, and clients are sent to %s", o.World.Native))
	}
	if o.Bus == nil {
		faults = append(faults, errors.New("bus: is needed"))
	} else if self := worlds.WorldNode(o.World.ID); o.Bus.Self() != self {
		faults = append(faults, fmt.Errorf("bus: its credentials are of %s, not of %s", o.Bus.Self(), self))
	}
	return errors.Join(faults...)
}

// coreFaults are those of what the core uses.
func (o *Options) coreFaults() (faults []error) {
	faults = append(faults, o.World.Validate())
	if len(o.World.Builds) == 0 {
		faults = append(faults, errors.New("builds: at least one is needed"))
	}
	for name, n := range map[string]int{"max-queue": o.MaxQueue, "max-claims": o.MaxClaims, "reactors": o.Reactors} {
		if n < 1 {
			faults = append(faults, fmt.Errorf("%s: %d is below 1", name, n))
		}
	}
	for name, d := range map[string]time.Duration{"handshake": o.HandshakeLimit, "claim": o.ClaimLimit, "idle": o.IdleLimit} {
		if d < deadline.Every {
			faults = append(faults, fmt.Errorf("%s limit: %v is below %v", name, d, deadline.Every))
		}
	}
	if o.SecondLogin > worlds.SecondLoginRefuse {
		faults = append(faults, errors.New("second-login: is to replace or to refuse"))
	}
	if o.Logger == nil {
		faults = append(faults, errors.New("logger: is needed"))
	}
	return faults
}

// maxKeys is how many keys may be here at once.
func (o *Options) maxKeys() int { return 2*(int(o.World.Capacity)+o.MaxQueue) + keysSpare }

// maxMoves is how many moves may be under way at once, passes that wait for their
// clients included.
func (o *Options) maxMoves() int {
	return o.MaxClaims + min(int(o.World.Capacity)+o.MaxQueue, maxPasses)
}

// systemRandom never fails: the process ends when the system has none.
func systemRandom(b []byte) { _, _ = rand.Read(b) }
