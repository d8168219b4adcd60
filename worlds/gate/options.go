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

// Options configure a Gate. World, Addr, Bus and Logger are required.
type Options struct {
	// World is the world's registration. Its Builds are the accepted builds: at least
	// one, all of one era (world.EraOf). NativeBuilds are those of native clients; none
	// means all. If Address is empty, it is where the gate listens. If Incarnation is
	// 0, the gate draws it; another value must be random too.
	World worlds.Registration
	// Addr is where to listen, host:port.
	Addr string
	// NativeAddr is where to listen for native clients, host:port. If it is empty,
	// there is no native listener, and World.Native must be empty too. If only
	// World.Native is empty, it is where the gate listens.
	NativeAddr string
	// Bus is the region's bus, connected as the world's own node. The gate does not
	// close it.
	Bus *bus.Conn
	// Handler is the game; nil for CharacterScreen.
	Handler Handler
	// Class returns the priority of a waiting player. nil gives every player class 0.
	// It is called on the logic goroutine and must not block.
	Class func(account string) Class
	// Load returns how busy the world is, 0 … 1, for heartbeats. nil means players
	// divided by capacity. It is called on a goroutine of the gate.
	Load func() float32
	// SecondLogin decides about a client that proves the key of an account whose player
	// is here. Either the newer connection takes the place of the older, in the world
	// or in the queue, as a client with a changed network needs it; or the newer one is
	// refused as online. It is for one key only: of two logins the directory ends one.
	SecondLogin worlds.SecondLogin
	// MaxQueue is how many clients can wait in the queue. MaxClaims is how many can be
	// getting their keys at the same time. 0 means the default.
	MaxQueue, MaxClaims int
	// ReconnectGrace is how long the key of an existing client stays after its
	// connection is closed. A native client's key does not stay. QueueGrace is how long
	// a place in the queue stays. 0 means the default, and a negative value means no
	// grace.
	ReconnectGrace, QueueGrace time.Duration
	// HandshakeLimit is the time for a client to introduce itself. ClaimLimit is the
	// time to get its key. IdleLimit is the longest silence of a client in the world,
	// and of a native client in the queue. 0 means the default.
	HandshakeLimit, ClaimLimit, IdleLimit time.Duration
	// RefusalDelay is when a client with a wrong name, key or proof gets its refusal,
	// counted from its proof. 0 means the default, and a negative value means at once.
	// It should be longer than the directory waits for a key.
	RefusalDelay time.Duration
	// Reactors is the number of event loops; 0 means the default. MaxConns is the limit
	// of connections; 0 means what RLIMIT_NOFILE allows.
	Reactors, MaxConns int
	// Random fills b with random bytes. nil uses the system's source. It may be called
	// from any goroutine.
	Random func(b []byte)
	// Logger receives messages for the operator. It must not block.
	Logger *slog.Logger
}

// EnsureDefaults sets empty fields to their defaults.
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

// Validate returns every fault in one error.
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

// coreFaults returns the faults of the options that the core uses.
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

// maxKeys returns how many keys can be here at the same time.
func (o *Options) maxKeys() int { return 2*(int(o.World.Capacity)+o.MaxQueue) + keysSpare }

// maxMoves returns how many moves can be active at the same time, passes that wait for
// their clients included.
func (o *Options) maxMoves() int {
	return o.MaxClaims + min(int(o.World.Capacity)+o.MaxQueue, maxPasses)
}

// systemRandom never fails: without random data the process ends.
func systemRandom(b []byte) { _, _ = rand.Read(b) }
