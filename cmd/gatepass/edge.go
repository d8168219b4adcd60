package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/auth"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/codec/native"
	"gatepass/deadline"
	"gatepass/logic"
	"gatepass/patches"
	"gatepass/server"
	"gatepass/storage"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// edge is a login server: every part of a message's way, plugged together.
type edge struct {
	config *config
	log    *asyncLog
	conn   *bus.Conn // nil for a login server that is alone

	store    *storage.Client
	newSalts chan struct{}  // see watchSalts
	served   storage.Served // the store behind it
	pool     *auth.Pool
	versions *patches.Set // until the logic runs
	patches  atomic.Pointer[[patches.StateCount]int]
	list     *worlds.List
	member   *worlds.Member
	node     *bus.Node
	inbox    *logic.Inbox
	core     *logic.Core
	loop     *logic.Loop
	server   *server.Server
	manager  *accounts.Manager
	control  *admin.Listener

	draining    atomic.Bool
	failure     chan error     // one slot
	background  sync.WaitGroup // the clock, the control socket, who waits for the server
	stopClock   context.CancelFunc
	stopControl context.CancelFunc
	stopBeat    func()
}

// startEdge adds a login server to a process. Its parts start in the order in
// which they need each other: who answers before who asks, the clients last.
func startEdge(p *process, conn *bus.Conn) (*edge, error) {
	e := &edge{
		newSalts: make(chan struct{}, 1),
		config:   p.config, log: p.log, conn: conn, failure: make(chan error, 1),
		stopClock: func() {}, stopControl: func() {}, stopBeat: func() {},
	}
	p.add(part{name: "login", failed: e.failure, alive: e.alive, ready: e.ready, degraded: e.degraded, drain: e.drain, close: e.close, metrics: stageCollector{e}})
	for _, start := range e.starts() {
		if err := start(); err != nil {
			return nil, err
		}
	}
	configured, err := p.config.worldList()
	if err != nil {
		return nil, err
	}
	warnTold(p, configured, remoteClients(p.config.Grunt))
	p.say("grunt", e.server.Addr())
	if p.config.Native != "" {
		p.say("native", e.server.AddrOf(1))
	}
	p.say("reactors", p.config.Reactors, "max-conns", e.server.Stats().MaxConns)
	return e, nil
}

// starts are what starts the parts, in order.
func (e *edge) starts() []func() error {
	return []func() error{
		e.makeInbox, e.startStore, e.startPool, e.openPatches, e.makeServer, e.makeList, e.startNode, e.startLogic,
		e.startControl, e.awaitBans, e.startServer, e.startBeat,
	}
}

func (e *edge) makeInbox() error {
	lend := e.config.PinCore < 0 // a pinned logic runs nowhere else
	e.inbox = logic.NewInbox(e.config.Reactors, logic.DefaultClientInbox, lend, func(i int) { e.server.Resume(i) })
	return nil
}

func (e *edge) startStore() (err error) {
	if err := e.config.mustBeFolder(); err != nil {
		return err
	}
	e.store, err = storage.NewClient(e.inbox.Stored, func(deliver func([]storage.Result)) (_ storage.Store, err error) {
		e.served, err = accountEngine(e.config.Data, e.config.Storage.CacheMiB).Serve(storage.OpenOptions{
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

func (e *edge) startPool() (err error) {
	if e.config.Native != "" {
		srp6a.DefaultParams().Group.Prepare() // else the first sign-in would wait for it
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

// openPatches opens the patches there are. One that cannot be sent is not offered, and
// keeps nobody else from logging in. Without a catalogue that can be read it would not
// be known who is to be refused.
func (e *edge) openPatches() error {
	set, faults := patches.Open(e.config.patchesDir(), e.config.knownBuilds())
	if err := set.Fault(); err != nil {
		return err
	}
	for _, err := range faults {
		e.log.Error("a patch cannot be offered", "part", "patches", "error", err)
	}
	e.versions = set
	e.counted(set)
	return nil
}

// counted keeps how many patches there are, for the metrics: who holds the set itself
// keeps its files open.
func (e *edge) counted(set *patches.Set) {
	counts := set.Counts()
	e.patches.Store(&counts)
}

func (e *edge) makeServer() (err error) {
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
		MaxConns:  e.config.MaxConns, OtherFiles: e.config.otherFiles(),
		Idle:      e.idle(),
		Transfers: e.transfers(),
		Sink:      func(i int) server.Sink { return e.inbox.Client(i) },
		Logger:    e.log.With("part", "server"),
	})
	return err
}

// idle lets the reactor keep the processor for a moment, where there is only
// one: nobody else of the pipeline must then be waiting for it.
func (e *edge) idle() func() bool {
	if e.config.Procs > 1 {
		return nil
	}
	return func() bool { return e.pool.Idle() && e.served.ReadsIdle() && !e.core.Moving() }
}

// mebibyte is what rates of updates are given in.
const mebibyte = 1 << 20

// transfers is what bounds the sending of patches.
func (e *edge) transfers() server.TransferOptions {
	u := e.config.Updates
	return server.TransferOptions{
		Rate: int64(u.Rate * mebibyte), ClientRate: int64(u.ClientRate * mebibyte), Stall: u.StallLimit,
	}
}

// fail reports what makes the login server useless. Only the first counts.
func (e *edge) fail(err error) {
	select {
	case e.failure <- err:
	default:
	}
}

// makeList makes this server's copy of the region's worlds, with those of the
// configuration, which do not register, in it.
func (e *edge) makeList() error {
	configured, err := e.config.worldList()
	if err != nil {
		return err
	}
	e.list = worlds.NewList(worlds.EncodeGrunt)
	e.member = worlds.NewMember(e.list, worlds.MemberOptions{})
	return e.list.SetStatic(configured)
}

func (e *edge) startLogic() (err error) {
	s := e.config.Sessions
	decoys, err := e.config.decoys()
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

// startNode joins the region. What the bus brings before the logic runs is kept
// in its inbox.
func (e *edge) startNode() (err error) {
	if e.conn == nil {
		return nil
	}
	e.node, err = e.conn.Node(bus.NodeOptions{Incarnation: randomID(), Deliver: e.inbox.Region})
	return err
}

// startBeat tells DNS and operators of this server, now that it serves.
func (e *edge) startBeat() error {
	if e.conn == nil {
		return nil
	}
	stop, err := e.conn.BeatLogin(bus.LoginBeatEvery, e.beat)
	if err == nil {
		e.stopBeat = stop
	}
	return err
}

// beat is what the server says of itself.
func (e *edge) beat() worlds.LoginBeat {
	st := e.server.Stats()
	return worlds.LoginBeat{
		Node: worlds.LoginNode(e.config.Node), Address: e.advertised(), Native: e.advertisedNative(),
		Conns: uint32(st.Conns), MaxConns: uint32(st.MaxConns), Draining: e.draining.Load(),
	}
}

// advertised is where clients reach this server: as configured, or where it
// listens.
func (e *edge) advertised() string {
	if e.config.Advertise != e.config.Grunt {
		return e.config.Advertise
	}
	return e.server.Addr().String()
}

// advertisedNative is where native clients reach this server: at the same address,
// by the port of their own.
func (e *edge) advertisedNative() string {
	host, err := netip.ParseAddrPort(e.advertised())
	if e.config.Native == "" || err != nil {
		return ""
	}
	return netip.AddrPortFrom(host.Addr(), e.server.AddrOf(1).Port()).String()
}

// thread pins the logic's thread to the configured core; nil if there is none.
func (e *edge) thread() func() {
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

// runClock tells the logic the time.
func (e *edge) runClock(ctx context.Context) {
	timer := time.NewTimer(logic.TickEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			timer.Reset(e.core.Pace())
			e.tick()
		case <-ctx.Done():
			return
		}
	}
}

// watchPatches tells the logic of each new state of the patches, until ctx ends.
func (e *edge) watchPatches(ctx context.Context) {
	first := e.versions
	e.versions = nil // see counted
	patches.Watch(ctx, patches.WatchOptions{
		Dir: e.config.patchesDir(), Defaults: e.config.knownBuilds(), First: first, Logger: e.log.With("part", "patches"),
		Publish: func(set *patches.Set) {
			e.counted(set)
			for !e.inbox.Command(logic.Command{Kind: logic.CommandVersions, Versions: set}) && ctx.Err() == nil {
				time.Sleep(logic.TickEvery)
			}
		},
	})
}

// tick tells the logic what time it is: by the clock of its deadlines, which
// nobody can set, and by the wall.
func (e *edge) tick() { e.inbox.Tick(e.now(), time.Now().UnixMilli()) }

// now is the time of the logic's deadlines in milliseconds.
func (e *edge) now() int64 { return deadline.Now().Milliseconds() }

func (e *edge) startControl() error {
	e.manager = accounts.New(e.store, accounts.Options{Random: rand.Reader, OnChange: admin.Follow(edgeSessions{e})})
	var err error
	if e.control, err = admin.Listen(admin.SocketPath(e.config.Data)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.stopControl = cancel
	e.background.Go(func() {
		if err := e.control.Serve(ctx, admin.Services{Accounts: e.manager}, e.log.With("part", "control")); err != nil {
			e.log.Error("the control socket ended", "error", err)
		}
	})
	return nil
}

// bansLimit is how long the first reading of the address bans may take.
const bansLimit = 30 * time.Second

// awaitBans returns once the address bans have been read: before, the server would let
// in those who are banned.
func (e *edge) awaitBans() error {
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

func (e *edge) startServer() error {
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

// aliveLimit is how long the logic may go without a tick before it counts as
// stuck.
const aliveLimit = 10 * time.Second

func (e *edge) alive() error {
	behind := time.Duration(e.now()-e.core.LastTick()) * time.Millisecond
	if behind > aliveLimit {
		return fmt.Errorf("the logic has not moved for %v", behind.Round(time.Second))
	}
	return nil
}

// ready says why clients should go elsewhere just now.
func (e *edge) ready() error {
	return errors.Join(readFault(e.served.ReadTrouble()), acceptFault(e.server.Stats()))
}

// degraded says what the login server cannot do although it works.
func (e *edge) degraded() error {
	var bans error
	if n := e.core.Stats().BansDamaged; n > 0 {
		bans = fmt.Errorf("%d address bans cannot be read and do not hold; the log names them", n)
	}
	store := accountsFault(e.served.ReadTrouble(), e.served.WriteTrouble())
	return errors.Join(store, bans, acceptFault(e.server.Stats()), leaderFault(e.conn))
}

// accountsFault says what the store cannot do, given why it is not read and why it takes no
// changes.
func accountsFault(unread, refused error) error {
	if unread != nil || refused == nil {
		return readFault(unread)
	}
	return fmt.Errorf("the store is read-only: logins go on, their records are dropped and account changes are refused until the disk takes writes again: %w", refused)
}

// readFault says that the store cannot be read just now.
func readFault(unread error) error {
	if unread == nil {
		return nil
	}
	return fmt.Errorf("nobody can log in until the store can be read again: %w", unread)
}

// acceptFault says that a server cannot accept clients just now.
func acceptFault(st server.Stats) error {
	if st.CannotAccept {
		return errors.New("clients cannot be accepted, for want of file descriptors or memory; see the log")
	}
	return nil
}

// drain lets clients that are logging in finish, and no new ones begin. Where
// there are other login servers to go to, it also waits for the keys of those who
// go there.
func (e *edge) drain(ctx context.Context) {
	e.draining.Store(true)
	e.stopBeat()
	if err := e.startBeat(); err != nil { // it begins with a beat: DNS sends nobody here any more
		e.log.Warn("nobody was told of the drain", "error", err)
	}
	e.server.Drain()
	for !e.inbox.Command(logic.Command{Kind: logic.CommandDrain}) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	for (e.server.Conns() > 0 || e.config.keepKeys && e.core.Stats().Keys > 0) && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	e.log.Info("drained", slog.Int("connections-left", e.server.Conns()))
}

// close stops the parts in reverse order, each once nobody asks it any more. It
// may be called on an edge that started in part.
func (e *edge) close() error {
	var err error
	e.stopBeat()
	e.stopControl()
	e.stopClock()
	if e.loop != nil {
		for !e.inbox.Command(logic.Command{Kind: logic.CommandClose}) {
			time.Sleep(time.Millisecond)
		}
		<-e.loop.Done()
	}
	e.background.Wait()
	if e.node != nil {
		e.node.Close()
	}
	if e.server != nil {
		err = errors.Join(err, e.server.Close())
	}
	if e.pool != nil {
		e.pool.Close()
	}
	if e.store != nil {
		err = errors.Join(err, e.store.Close())
	}
	return err
}
