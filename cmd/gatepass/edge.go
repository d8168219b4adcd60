package main

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/auth"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/logic"
	"gatepass/patches"
	"gatepass/server"
	"gatepass/storage"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// edge is a login server: every stage through which a client's message goes, and what
// the stages need.
type edge struct {
	config  *config.Config
	options edgeOptions
	log     *asyncLog
	conn    *bus.Conn // nil for a login server without a region

	store    *storage.Client
	newSalts chan struct{}  // one slot; see watchSalts
	served   storage.Served // the open store that answers store
	pool     *auth.Pool
	versions *patches.Set // nil once the logic runs
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
	background  sync.WaitGroup // every goroutine that close waits for
	stopClock   context.CancelFunc
	stopControl context.CancelFunc
	stopBeat    func()
}

// edgeOptions say what else there is in the process and in the region.
type edgeOptions struct {
	// filesForBus is how many file descriptors are kept back from clients for a bus that
	// the same process serves.
	filesForBus int
	// waitForKeys says that a drain waits until other login servers have claimed the
	// session keys of this one.
	waitForKeys bool
}

// startEdge adds a login server to a process. Its parts start in the order in which
// they need each other: a part that answers before the parts that ask it. Clients are
// accepted last.
func startEdge(p *process, conn *bus.Conn, o edgeOptions) (*edge, error) {
	e := &edge{
		options:  o,
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
	configured, err := p.config.WorldList()
	if err != nil {
		return nil, err
	}
	p.warnTold(configured, remoteClients(p.config.Grunt))
	p.say("grunt", e.server.Addr())
	if p.config.Native != "" {
		p.say("native", e.server.AddrOf(1))
	}
	p.say("reactors", p.config.Reactors, "max-conns", e.server.Stats().MaxConns)
	return e, nil
}

// fail reports an error with which the login server cannot go on. Only the first counts.
// Any goroutine.
func (e *edge) fail(err error) {
	select {
	case e.failure <- err:
	default:
	}
}

// accountManager returns what changes accounts in the store of the login server.
func (e *edge) accountManager() *accounts.Manager { return e.manager }

// nativeAddr returns where native clients connect. Only a server whose configuration has
// an address for them may be asked.
func (e *edge) nativeAddr() netip.AddrPort { return e.server.AddrOf(1) }
