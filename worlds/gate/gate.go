package gate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"gatepass/codec"
	"gatepass/codec/native"
	"gatepass/codec/world"
	"gatepass/deadline"
	"gatepass/server"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// ErrBusy is the error of Drain if the logic does not accept the command because the
// handler blocks.
var ErrBusy = errors.New("gate: the logic does not answer")

// unknownAddress is a placeholder until the gate knows its port. Nothing listens there,
// and it is never sent.
const unknownAddress = "gate.invalid:1"

// Gate is an open gate. Its life is Open, (Drain,) Close. All methods may be called
// from any goroutine, but not from the handler.
type Gate struct {
	// static after Open
	options   Options
	core      *core
	inbox     *inbox
	loop      *loop
	server    *server.Server
	node      *bus.Node
	registrar *bus.Registrar

	leaving atomic.Bool
	drained chan struct{} // closed when the gate drains and the world is empty
	stop    chan struct{} // ends the clock
	clock   sync.WaitGroup
	closing sync.Once
	failure error // the result of Close
}

// Open starts to listen, joins the bus and registers the world. ctx limits Open only.
// The manager does not have to be reachable.
func Open(ctx context.Context, o Options) (*Gate, error) {
	if o.World.Address == "" {
		o.World.Address = unknownAddress
	}
	if o.World.Native == "" && o.NativeAddr != "" {
		o.World.Native = unknownAddress
	}
	o.EnsureDefaults()
	if err := errors.Join(o.Validate(), ctx.Err()); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	g := &Gate{options: o, drained: make(chan struct{}), stop: make(chan struct{})}
	if err := g.build(); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	if err := g.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("gate: %w", err), g.Close())
	}
	return g, nil
}

// build makes and connects the parts. Nothing runs yet.
func (g *Gate) build() error {
	o := &g.options
	protocol, err := world.New(world.Options{Builds: o.World.Builds})
	if err != nil {
		return err
	}
	g.inbox = newInbox(o.Reactors, func(reactor int) { g.server.Resume(reactor) })
	g.server, err = server.New(server.Options{
		Listeners: o.listeners(protocol),
		Reactors:  o.Reactors, MaxConns: o.MaxConns,
		Sink:   func(reactor int) server.Sink { return clientSink{g.inbox.clients[reactor]} },
		Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	g.core, err = newCore(*o, ports{
		out: g.server.Queue(), region: (*nodeOf)(g), random: o.Random,
		drained: func() { close(g.drained) },
		door:    &door{push: g.inbox.posts.Push},
	})
	g.loop = newLoop(g.core, g.inbox, clockNow)
	return err
}

// listeners returns the listeners for existing clients and, if enabled, native clients.
func (o *Options) listeners(protocol *world.Codec) []server.Listener {
	all := []server.Listener{{
		Addr: o.Addr, Speaks: codec.ProtocolWorld,
		Protocol: func() server.Session { return protocol.Open() },
	}}
	if o.NativeAddr == "" {
		return all
	}
	passes := native.NewGate(o.World.ID)
	return append(all, server.Listener{
		Addr: o.NativeAddr, Speaks: codec.ProtocolNative,
		Protocol: func() server.Session { return passes.Open() },
	})
}

// nodeOf is the gate as the core's region. The bus node exists only when the bus may
// deliver.
type nodeOf Gate

func (g *nodeOf) Submit(effects []worlds.Effect) {
	if g.node != nil {
		g.node.Submit(effects)
	}
}

// start starts the parts: first those that receive, then those that send to them.
func (g *Gate) start() error {
	o := &g.options
	var err error
	if g.node, err = o.Bus.Node(bus.NodeOptions{Incarnation: o.World.Incarnation, Deliver: g.inbox.deliver}); err != nil {
		return err
	}
	g.tick()
	go g.loop.Run()
	g.clock.Add(1)
	go g.runClock()
	if err := g.server.Start(); err != nil {
		return err
	}
	if o.World.Address == unknownAddress {
		o.World.Address = g.Addr().String()
	}
	if o.World.Native == unknownAddress {
		o.World.Native = g.NativeAddr().String()
	}
	for _, doubt := range o.World.Doubts(!g.Addr().Addr().IsLoopback()) {
		o.Logger.Warn("clients may not reach this world", "why", doubt)
	}
	g.registrar, err = o.Bus.Register(bus.RegisterOptions{
		World: func() worlds.Registration { return o.World }, Beat: g.Beat, Logger: o.Logger,
	})
	return err
}

// runClock sends the time to the logic, on its own goroutine.
func (g *Gate) runClock() {
	defer g.clock.Done()
	ticks := time.NewTicker(deadline.Every)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			g.tick()
		case <-g.stop:
			return
		}
	}
}

// tick queues the time for the logic. It drops the tick if the logic is several ticks
// behind, because the next one is enough.
func (g *Gate) tick() {
	now := clockNow()
	g.inbox.ticks.Push(&now)
}

// clockNow returns the time of the gate's deadlines, in milliseconds.
func clockNow() int64 { return deadline.Now().Milliseconds() }

// Addr returns the address where the gate listens, with its actual port.
func (g *Gate) Addr() netip.AddrPort { return g.server.Addr() }

// NativeAddr returns the address for native clients, with its actual port, or the zero
// AddrPort if there is none.
func (g *Gate) NativeAddr() netip.AddrPort {
	if g.options.NativeAddr == "" {
		return netip.AddrPort{}
	}
	return g.server.AddrOf(1)
}

// Node returns the world's name on the bus.
func (g *Gate) Node() worlds.Node { return g.core.self }

// Failed returns a channel that gets one error if the gate's sockets fail. The gate
// then serves nobody.
func (g *Gate) Failed() <-chan error { return g.server.Failed() }

// Registered reports whether the manager knew the world at the last check.
func (g *Gate) Registered() bool { return g.registrar.Registered() }

// Beat returns the state of the world that its heartbeats carry.
func (g *Gate) Beat() worlds.Beat {
	n := &g.core.count
	b := worlds.Beat{
		Incarnation: g.options.World.Incarnation,
		Population:  uint32(max(0, n.inState[StateInside].Load())),
		Queue:       uint32(max(0, n.places.Load())),
		Leaving:     g.leaving.Load(),
	}
	load := float32(b.Population) / float32(g.options.World.Capacity)
	if g.options.Load != nil {
		load = g.options.Load()
	}
	if load > 0 { // false for NaN
		b.Load = min(load, 1)
	}
	return b
}

// Stats returns the counters.
func (g *Gate) Stats() Stats {
	st := g.core.stats()
	st.Server, st.Inbox = g.server.Stats(), g.inbox.stats()
	return st
}

// Drain shows the world as offline, admits no more clients and disconnects the waiting
// ones. It returns when the players have left or ctx is over. Players can continue
// until Close. Drain cannot be undone.
func (g *Gate) Drain(ctx context.Context) error {
	g.retire()
	cmd := commandDrain
	if !g.inbox.commands.Push(&cmd) {
		return ErrBusy
	}
	select {
	case <-g.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gate: drain: %w", ctx.Err())
	}
}

// retire removes the world from the list and refuses new connections.
func (g *Gate) retire() {
	g.leaving.Store(true)
	if g.registrar != nil {
		_ = g.registrar.Close() // never returns an error
	}
	g.server.Drain()
}

// Close disconnects every client, wipes all keys and withdraws their announcements. It
// returns when all goroutines of the gate have ended. It does not close the bus. It may
// be called again.
func (g *Gate) Close() error {
	g.closing.Do(func() {
		g.retire()
		close(g.stop)
		g.clock.Wait()
		var faults []error
		if g.node != nil {
			g.endLoop()
			faults = append(faults, g.node.Close())
		}
		g.failure = errors.Join(append(faults, g.server.Close())...)
	})
	return g.failure
}

// endLoop ends the logic goroutine and waits for it.
func (g *Gate) endLoop() {
	cmd := commandClose
	g.inbox.commands.PushAllWait([]command{cmd})
	<-g.loop.Done()
}
