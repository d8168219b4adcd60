package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/accounts"
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/logic"
	"gatepass/server"
	"gatepass/storage"
	"gatepass/worlds"
)

// edge is a login server: every part, plugged together. Its life: startEdge,
// then stop.
type edge struct {
	config *config
	log    *asyncLog

	admin   *admin
	store   *storage.Client
	pool    *auth.Pool
	inbox   *logic.Inbox
	core    *logic.Core
	loop    *logic.Loop
	server  *server.Server
	manager *accounts.Manager
	control *accounts.Listener

	started     time.Time      // what the logic's clock counts from
	storeFailed chan error     // one slot
	background  sync.WaitGroup // the clock and the control socket
	stopClock   context.CancelFunc
	stopControl context.CancelFunc
}

// startEdge starts the parts in the order in which they need each other: who
// answers before who asks, the clients last. What has started is stopped again
// when a later one fails.
func startEdge(c *config, log *asyncLog) (*edge, error) {
	runtime.GOMAXPROCS(c.Procs)
	e := &edge{config: c, started: time.Now(), log: log, storeFailed: make(chan error, 1), stopClock: func() {}, stopControl: func() {}}
	for _, start := range []func() error{
		e.startAdmin, e.makeInbox, e.startStore, e.startPool, e.makeServer, e.startLogic,
		e.startControl, e.startServer,
	} {
		if err := start(); err != nil {
			return nil, errors.Join(err, e.close())
		}
	}
	return e, nil
}

func (e *edge) startAdmin() (err error) {
	e.admin, err = newAdmin(e.config.Admin, e.log.Logger)
	return err
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
	e.store, err = storage.OpenClient(storage.Options{
		Dir:        e.config.storeDir(),
		CacheBytes: int64(e.config.Storage.CacheMiB) << 20,
		Deliver:    e.inbox.Stored,
		Logger:     e.log.With("part", "storage"),
		OnFatal:    func(err error) { e.storeFailed <- err },
	})
	if errors.Is(err, storage.ErrLocked) {
		return fmt.Errorf("data: %s: another gatepass serves this folder (%w)", e.config.Data, err)
	}
	return err
}

func (e *edge) startPool() (err error) {
	e.pool, err = auth.NewPool(auth.Options{
		Workers: max(1, e.config.Procs/2),
		Deliver: e.inbox.Proved,
		OnPanic: func(p any) {
			e.log.Error("panic in the auth pool; its job was answered with an error", "panic", fmt.Sprintf("%T", p))
		},
	})
	return err
}

func (e *edge) makeServer() (err error) {
	protocol := grunt.New(grunt.Options{})
	e.server, err = server.New(server.Options{
		Addr:     e.config.Grunt,
		Reactors: e.config.Reactors,
		MaxConns: e.config.MaxConns,
		Idle:     e.idle(),
		Protocol: func() server.Session { return protocol.Open() },
		Sink:     func(i int) server.Sink { return e.inbox.Client(i) },
		Logger:   e.log.With("part", "server"),
	})
	return err
}

// idle lets the reactor keep the processor for a moment, where there is only
// one: nobody else of the pipeline must then be waiting for it.
func (e *edge) idle() func() bool {
	store, ok := e.store.Store().(*storage.Pebble)
	if !ok || e.config.Procs > 1 {
		return nil
	}
	return func() bool { return e.pool.Idle() && store.ReadsIdle() }
}

func (e *edge) startLogic() error {
	list := worlds.NewList(worlds.EncodeGrunt)
	configured, err := e.config.worldList()
	if err != nil {
		return err
	}
	if err := list.Set(configured); err != nil {
		return err
	}
	s := e.config.Sessions
	e.core, err = logic.NewCore(logic.Options{
		Builds:         e.config.Builds,
		Secret:         e.store.Store().Secret(),
		Factors:        func(build uint16) codec.Factors { return grunt.LayoutOf(grunt.Build(build)).Factors() },
		FactorDecoys:   s.FactorDecoys,
		ReconnectGrace: s.ReconnectGrace,
		DurableLogins:  s.DurableLogins,
		ConnectedLimit: s.ConnectedLimit, ProvingLimit: s.ProvingLimit, ChoosingLimit: s.ChoosingLimit,
		Logger: e.log.With("part", "logic"),
	}, logic.Ports{Out: e.server.Queue(), Store: e.store.Store(), Prover: e.pool, Worlds: list})
	if err != nil {
		return err
	}
	e.tick()
	e.loop = logic.NewLoop(e.core, e.inbox, e.thread())
	go e.loop.Run()
	ctx, cancel := context.WithCancel(context.Background())
	e.stopClock = cancel
	e.background.Go(func() { e.runClock(ctx) })
	return nil
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
	ticker := time.NewTicker(logic.TickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			e.tick()
		case <-ctx.Done():
			return
		}
	}
}

// tick tells the logic what time it is: by the clock of its deadlines, which
// nobody can set, and by the wall.
func (e *edge) tick() { e.inbox.Tick(e.now(), time.Now().UnixMilli()) }

// now is milliseconds of a clock that goes on from the time of the start.
func (e *edge) now() int64 {
	return e.started.UnixMilli() + time.Since(e.started).Milliseconds()
}

func (e *edge) startControl() error {
	e.manager = accounts.New(e.store, accounts.Options{Random: rand.Reader, OnChange: e.changed})
	var err error
	if e.control, err = accounts.Listen(accounts.SocketPath(e.config.Data)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.stopControl = cancel
	e.background.Go(func() {
		if err := e.control.Serve(ctx, e.manager, e.log.With("part", "control")); err != nil {
			e.log.Error("the control socket ended", "error", err)
		}
	})
	return nil
}

// changed makes a running session feel what an operator did to its account.
func (e *edge) changed(c accounts.Change) {
	cmd := logic.Command{Kind: logic.CommandKick, Name: c.Name}
	switch c.Kind {
	case accounts.ChangeBan, accounts.ChangeDelete, accounts.ChangePassword, accounts.ChangeFactors:
	case accounts.ChangeBanAddress, accounts.ChangeUnbanAddress:
		cmd = logic.Command{Kind: logic.CommandAddressBans}
	default:
		return
	}
	for !e.inbox.Command(cmd) {
		time.Sleep(logic.TickEvery) // an import that replaces thousands of passwords: the logic will catch up
	}
}

func (e *edge) startServer() error {
	if err := e.server.Start(); err != nil {
		return err
	}
	e.admin.alive = e.alive
	if err := e.admin.serve(&stageCollector{edge: e}, e.log.Logger); err != nil {
		return err
	}
	e.admin.ready.Store(true)
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

// wait returns when ctx ends (nil) or when something without which nothing can
// be served has failed.
func (e *edge) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-e.server.Failed():
		return err
	case err := <-e.storeFailed:
		return fmt.Errorf("the store takes no more writes: %w", err)
	}
}

// drain lets clients that are logging in finish, and no new ones begin.
func (e *edge) drain() {
	e.admin.ready.Store(false)
	e.server.Drain()
	deadline := time.Now().Add(e.config.DrainLimit)
	for !e.inbox.Command(logic.Command{Kind: logic.CommandDrain}) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	for e.server.Conns() > 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	e.log.Info("drained", slog.Int("connections-left", e.server.Conns()))
}

// closeLimit is how long close waits for the parts. They end within a second
// unless one of them hangs, and then the process should end all the same.
const closeLimit = 30 * time.Second

// close stops the parts. It may be called on an edge that started in part.
func (e *edge) close() error {
	ended := make(chan error, 1)
	go func() { ended <- e.closeParts() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(closeLimit):
		return fmt.Errorf("a part did not end within %v", closeLimit)
	}
}

// closeParts stops the parts in reverse order, each once nobody asks it any more.
func (e *edge) closeParts() error {
	var err error
	e.stopControl()
	e.stopClock()
	e.background.Wait()
	if e.loop != nil {
		for !e.inbox.Command(logic.Command{Kind: logic.CommandClose}) {
			time.Sleep(time.Millisecond)
		}
		<-e.loop.Done()
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
	if e.admin != nil {
		e.admin.close()
	}
	return err
}
