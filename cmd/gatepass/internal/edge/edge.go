package edge

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/auth"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/logic"
	"gatepass/patches"
	"gatepass/server"
	"gatepass/storage"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// Edge is a login server: every stage through which a client's message goes, and what
// the stages need.
type Edge struct {
	config  *config.Config
	options Options
	log     *process.Log
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

// Options say what else there is in the process and in the region.
type Options struct {
	// FilesForBus is how many file descriptors are kept back from clients for a bus that
	// the same process serves.
	FilesForBus int
	// WaitForKeys says that a drain waits until other login servers have claimed the
	// session keys of this one.
	WaitForKeys bool
}

// Start adds a login server to a process. Its parts start in the order in which
// they need each other: a part that answers before the parts that ask it. Clients are
// accepted last.
func Start(p *process.Process, conn *bus.Conn, o Options) (*Edge, error) {
	e := &Edge{
		options:  o,
		newSalts: make(chan struct{}, 1),
		config:   p.Config, log: p.Log, conn: conn, failure: make(chan error, 1),
		stopClock: func() {}, stopControl: func() {}, stopBeat: func() {},
	}
	p.Add(process.Part{Name: "login", Failed: e.failure, Alive: e.alive, Ready: e.ready, Degraded: e.degraded, Drain: e.drain, Close: e.close, Metrics: stageCollector{e}})
	for _, start := range e.starts() {
		if err := start(); err != nil {
			return nil, err
		}
	}
	configured, err := p.Config.WorldList()
	if err != nil {
		return nil, err
	}
	p.WarnTold(configured, process.RemoteClients(p.Config.Grunt))
	p.Say("grunt", e.server.Addr())
	if p.Config.Native != "" {
		p.Say("native", e.server.AddrOf(1))
	}
	p.Say("reactors", p.Config.Reactors, "max-conns", e.server.Stats().MaxConns)
	return e, nil
}

// fail reports an error with which the login server cannot go on. Only the first counts.
// Any goroutine.
func (e *Edge) fail(err error) {
	select {
	case e.failure <- err:
	default:
	}
}

// Accounts returns what changes accounts in the store of the login server.
func (e *Edge) Accounts() *accounts.Manager { return e.manager }

// NativeAddr returns where native clients connect. Only a server whose configuration has
// an address for them may be asked.
func (e *Edge) NativeAddr() netip.AddrPort { return e.server.AddrOf(1) }
