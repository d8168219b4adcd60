package edge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth"
	"gatepass/auth/srp6a"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/codec/native"
	"gatepass/logic"
	"gatepass/patches"
	"gatepass/server"
	"gatepass/storage"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// starts returns the functions that start the parts, in order.
func (e *Edge) starts() []func() error {
	return []func() error{
		e.makeInbox, e.startStore, e.startPool, e.openPatches, e.makeServer, e.makeList, e.startNode, e.startLogic,
		e.startControl, e.awaitBans, e.startServer, e.startBeat,
	}
}

// makeInbox makes the queue of the logic's inputs.
func (e *Edge) makeInbox() error {
	lend := e.config.PinCore < 0 // a pinned logic runs on no other goroutine
	e.inbox = logic.NewInbox(e.config.Reactors, logic.DefaultClientInbox, lend, func(i int) { e.server.Resume(i) })
	return nil
}

// startStore opens the account store.
func (e *Edge) startStore() (err error) {
	if err := e.config.CheckData(); err != nil {
		return err
	}
	e.store, err = storage.NewClient(e.inbox.Stored, func(deliver func([]storage.Result)) (_ storage.Store, err error) {
		e.served, err = config.AccountEngine(e.config.Data, e.config.Storage.CacheMiB).Serve(storage.OpenOptions{
			Deliver: deliver,
			Logger:  e.log.With("part", "storage"),
			OnFatal: func(err error) {
				e.fail(fmt.Errorf("the store cannot be read any more: %w", err))
			},
		})
		return e.served, err
	})
	if errors.Is(err, storage.ErrLocked) {
		return fmt.Errorf("data: %s: another gatepass serves this folder (%w)", e.config.Data, err)
	}
	return err
}

// startPool starts the workers that check proofs.
func (e *Edge) startPool() (err error) {
	if e.config.Native != "" {
		srp6a.DefaultParams().Group.Prepare() // otherwise the first sign-in waits for it
	}
	e.pool, err = auth.NewPool(auth.Options{
		Workers: max(1, e.config.Procs/2),
		Deliver: e.inbox.Proved,
		OnPanic: func(p any) {
			e.log.Error("panic in the auth pool; its job was answered with an error", "panic", fmt.Sprintf("%T", p))
		},
	})
	return err
}

// openPatches opens the catalogue of patches. A patch that cannot be sent is not offered
// and is no reason not to start. A catalogue that cannot be read is one: the server would
// not know which builds to refuse.
func (e *Edge) openPatches() error {
	set, faults := patches.Open(e.config.PatchesDir(), e.config.KnownBuilds())
	if err := set.Fault(); err != nil {
		return err
	}
	for _, err := range faults {
		e.log.Error("a patch cannot be offered", "part", "patches", "error", err)
	}
	e.versions = set
	e.countPatches(set)
	return nil
}

// makeServer makes the listeners and the reactors. startServer starts them.
func (e *Edge) makeServer() (err error) {
	existing, own := grunt.New(grunt.Options{}), native.New(native.Options{})
	listeners := []server.Listener{{
		Addr: e.config.Grunt, Speaks: codec.ProtocolGrunt, Protocol: func() server.Session { return existing.Open() },
	}}
	if e.config.Native != "" {
		listeners = append(listeners, server.Listener{
			Addr: e.config.Native, Speaks: codec.ProtocolNative, Protocol: func() server.Session { return own.Open() },
		})
	}
	e.server, err = server.New(server.Options{
		Listeners: listeners,
		Reactors:  e.config.Reactors,
		MaxConns:  e.config.MaxConns, OtherFiles: e.options.FilesForBus,
		Idle:      e.idle(),
		Transfers: e.transfers(),
		Sink:      func(i int) server.Sink { return e.inbox.Client(i) },
		Logger:    e.log.With("part", "server"),
	})
	return err
}

// idle returns the function that tells a reactor whether the other stages have nothing to
// do. With one processor, the reactor may then keep it for a moment. idle returns nil for
// more processors.
func (e *Edge) idle() func() bool {
	if e.config.Procs > 1 {
		return nil
	}
	return func() bool { return e.pool.Idle() && e.served.ReadsIdle() && !e.core.Moving() }
}

// mebibyte is the unit of the rates of updates, in bytes.
const mebibyte = 1 << 20

// transfers returns the limits for sending patches.
func (e *Edge) transfers() server.TransferOptions {
	u := e.config.Updates
	return server.TransferOptions{
		Rate: int64(u.Rate * mebibyte), ClientRate: int64(u.ClientRate * mebibyte), Stall: u.StallLimit,
	}
}

// makeList makes this server's copy of the list of worlds. It begins with the worlds of
// the configuration, which do not register.
func (e *Edge) makeList() error {
	configured, err := e.config.WorldList()
	if err != nil {
		return err
	}
	e.list = worlds.NewList(worlds.EncodeGrunt)
	e.member = worlds.NewMember(e.list, worlds.MemberOptions{})
	return e.list.SetStatic(configured)
}

// startLogic starts the logic and the goroutines that send it inputs of its own process.
func (e *Edge) startLogic() (err error) {
	s := e.config.Sessions
	decoys, err := e.config.Decoys()
	if err != nil {
		return err
	}
	ports := logic.Ports{Out: e.server.Queue(), Store: e.store.Store(), Prover: e.pool, Worlds: e.list}
	if e.conn != nil {
		ports.Region, ports.Bus = e.member, e.node
	}
	kept, salts, err := e.readDecoys(context.Background())
	if err != nil {
		return err
	}
	e.core, err = logic.NewCore(logic.Options{
		Decoys:        kept,
		Versions:      e.versions,
		UpdatesAtOnce: e.config.Updates.AtOnce, AcceptLimit: e.config.Updates.AcceptLimit,
		NativeDecoys:     decoys,
		SignInsPerMinute: s.SignInsPerMinute, PingEvery: s.PingEvery, PassValidity: s.PassValidity, DeviceLifetime: s.DeviceLifetime,
		Secret:         e.store.Store().Secret(),
		Factors:        func(build uint16) codec.Factors { return grunt.LayoutOf(grunt.Build(build)).Factors() },
		FactorDecoys:   s.FactorDecoys,
		ReconnectGrace: s.ReconnectGrace,
		DurableLogins:  s.DurableLogins,
		ConnectedLimit: s.ConnectedLimit, ProvingLimit: s.ProvingLimit, ChoosingLimit: s.ChoosingLimit,
		Logger:     e.log.With("part", "logic"),
		Node:       worlds.LoginNode(e.config.Node),
		PushWorlds: s.PushWorlds, RefreshEvery: s.RefreshEvery,
	}, ports)
	if err != nil {
		return err
	}
	e.tick()
	e.loop = logic.NewLoop(e.core, e.inbox, e.thread())
	go e.loop.Run()
	ctx, cancel := context.WithCancel(context.Background())
	e.stopClock = cancel
	e.background.Go(func() { e.runClock(ctx) })
	e.background.Go(func() { e.watchPatches(ctx) })
	e.inbox.Command(logic.Command{Kind: logic.CommandSalts, Salts: salts})
	e.background.Go(func() { e.watchSalts(ctx) })
	return nil
}

// startNode joins the region. Messages of the bus wait in the inbox until the logic runs.
func (e *Edge) startNode() (err error) {
	if e.conn == nil {
		return nil
	}
	e.node, err = e.conn.Node(bus.NodeOptions{Incarnation: process.NewIncarnation(), Deliver: e.inbox.Region})
	return err
}

// thread returns the function that pins the logic's thread to the configured core, or nil
// if no core is configured.
func (e *Edge) thread() func() {
	if e.config.PinCore < 0 {
		return nil
	}
	return func() {
		var set unix.CPUSet
		set.Set(e.config.PinCore)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			e.log.Warn("the logic could not be pinned", "core", e.config.PinCore, "error", err)
		}
	}
}

// bansLimit is how long it may take to read the address bans at the start.
const bansLimit = 30 * time.Second

// awaitBans returns once the address bans have been read. Without them, the server would
// accept banned clients.
func (e *Edge) awaitBans() error {
	return awaitBans(func() bool { return e.core.Stats().BansLoaded }, e.failure, time.After(bansLimit))
}

func awaitBans(loaded func() bool, failure <-chan error, limit <-chan time.Time) error {
	for !loaded() {
		select {
		case err := <-failure:
			return err
		case <-limit:
			return errors.New("the address bans cannot be read, and nobody may be let in without them; see the log")
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// startServer accepts clients.
func (e *Edge) startServer() error {
	if err := e.server.Start(); err != nil {
		return err
	}
	e.background.Go(func() {
		select {
		case err := <-e.server.Failed():
			e.fail(err)
		case <-e.loop.Done():
		}
	})
	return nil
}
