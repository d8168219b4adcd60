package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// ErrStopped is what Failed gives when the event loops ended without being
// asked to.
var ErrStopped = errors.New("server: event loops ended by themselves")

// Server is listeners with their reactors and a sender. Its life: New, Start,
// (Drain,) Close.
type Server struct {
	// static after Start
	options  Options
	reactors []*reactor
	sender   *sender
	pump     *pump
	queue    *SendQueue
	addrs    []netip.AddrPort // of the listeners, in their order
	engine   gnet.Engine

	conns    atomic.Int64
	accepts  acceptWatch
	crowd    crowdWatch
	stale    atomic.Uint64 // see gnetLogger
	draining atomic.Bool
	stopping atomic.Bool

	started  bool // owned by who starts and closes
	booted   chan struct{}
	finished chan struct{}
	failed   chan error // one slot

	mu     sync.Mutex
	loops  int // reactors that have found their loop; guarded by mu
	closed sync.Once
}

// New makes a server that does not listen yet.
func New(o Options) (*Server, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{
		options:  o,
		booted:   make(chan struct{}),
		finished: make(chan struct{}),
		failed:   make(chan error, 1),
	}
	for i := range o.Reactors {
		r := &reactor{server: s, index: i, sink: o.Sink(i), table: connTable{reactor: i}, epoll: -1}
		s.reactors = append(s.reactors, r)
	}
	s.pump = newPump(o.Transfers, o.Logger, s.reactors)
	s.sender = newSender(s.reactors, o.SendQueue)
	s.queue = &SendQueue{sender: s.sender, room: o.SendQueue}
	return s, nil
}

// Queue is the send queue; it belongs to one goroutine, the logic's.
func (s *Server) Queue() *SendQueue { return s.queue }

// Addr is where the first listener is, with the port it got. Valid after Start.
func (s *Server) Addr() netip.AddrPort { return s.AddrOf(0) }

// AddrOf is where the listener with that index is, with the port it got. Valid
// after Start.
func (s *Server) AddrOf(i int) netip.AddrPort { return s.addrs[i] }

// Failed delivers an error once if the event loops end by themselves: nothing
// is served any more and the process should end.
func (s *Server) Failed() <-chan error { return s.failed }

// Start listens and returns once connections are taken.
func (s *Server) Start() error {
	var err error
	if s.addrs, err = reserve(s.options.Listeners); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	if err := s.pump.start(); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	surviveAccept()
	result := make(chan error, 1)
	go func() {
		defer close(s.finished)
		result <- gnet.Rotate(&handler{server: s}, listenOn(s.addrs), gnet.WithOptions(s.gnetOptions()))
	}()
	select {
	case err := <-result:
		err = errors.Join(err, s.pump.end())
		s.pump.writable.close()
		return fmt.Errorf("server: listen on %v: %w", s.addrs, err)
	case <-s.booted:
	}
	s.started = true
	go s.sender.run()
	go s.watch(result)
	return nil
}

// gnetOptions: ReusePort gives each loop listeners of its own, so that no loop
// hands connections to another.
func (s *Server) gnetOptions() gnet.Options {
	return gnet.Options{
		ReusePort:     true,
		ReuseAddr:     true, // else what we have closed keeps the port for a minute
		NumEventLoop:  s.options.Reactors,
		ReadBufferCap: DefaultReadBuffer,
		// A static outbound buffer is allocated only when a write falls short.
		WriteBufferCap: DefaultReadBuffer,
		TCPKeepAlive:   keepAlive,
		TCPNoDelay:     gnet.TCPNoDelay,
		Logger:         gnetLogger{server: s, to: s.options.Logger},
	}
}

// watch turns any end of the engine that nobody asked for into a failure: gnet may
// return nil then.
func (s *Server) watch(result <-chan error) {
	err := <-result
	if !s.stopping.Load() {
		s.failed <- errors.Join(ErrStopped, err)
	}
}

// Drain refuses every connection from now on; those that are open stay.
// Anywhere.
func (s *Server) Drain() { s.draining.Store(true) }

// Conns is how many connections are open. Anywhere.
func (s *Server) Conns() int { return int(s.conns.Load()) }

// Resume tells a reactor that its sink has room again after it had none.
// Anywhere.
func (s *Server) Resume(reactor int) {
	if r := s.reactors[reactor]; r.shown.Load() {
		_ = r.loop.Execute(context.Background(), payOwed{r}) // fails only once the engine has stopped
	}
}

// closeLimit is how long Close waits for the event loops, and for reads of files.
const closeLimit = 10 * time.Second

// Close hands on what is queued, closes every connection and stops. The logic
// must not send any more. It is idempotent and returns when all goroutines have
// ended; a server that was not started, or could not be, has none.
func (s *Server) Close() error {
	err := error(nil)
	s.closed.Do(func() {
		if !s.started {
			return
		}
		s.draining.Store(true)
		s.stopping.Store(true)
		s.sender.stop.Push(&struct{}{})
		<-s.sender.done
		err = s.pump.end()
		s.closeIdlers()
		ask, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.engine.Stop(ask) // only asks: it would look for the end each half second
		select {
		case <-s.finished:
			s.pump.writable.close() // nobody can use it any more
		case <-time.After(closeLimit):
			err = errors.Join(err, fmt.Errorf("server: event loops did not end within %v", closeLimit))
		}
	})
	return err
}

// closeIdlers comes before the loops end, whose epolls they wait for.
func (s *Server) closeIdlers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reactors {
		r.idler.close()
	}
}

// handler is what gnet calls. The same one serves all loops.
type handler struct {
	gnet.BuiltinEventEngine
	server *Server
}

// OnBoot is called once, when the listeners are bound.
func (h *handler) OnBoot(e gnet.Engine) gnet.Action {
	h.server.engine = e
	close(h.server.booted)
	return gnet.None
}

// OnOpen is called on the connection's loop.
func (h *handler) OnOpen(sock gnet.Conn) ([]byte, gnet.Action) {
	return nil, h.server.reactorOf(sock.EventLoop()).opened(sock)
}

// OnTraffic is called on the connection's loop.
func (h *handler) OnTraffic(sock gnet.Conn) gnet.Action {
	c, ok := sock.Context().(*clientConn)
	if !ok {
		return gnet.Close
	}
	r := h.server.reactors[c.handle.Reactor()]
	r.idler.poke()
	r.mail.busy.Store(true)
	action := r.guard(c, r.traffic)
	r.idler.yieldRested()
	if r.mail.done() {
		handle := c.handle
		r.writeMail()
		if c.handle != handle {
			return gnet.None // what was written closed it
		}
	}
	r.lookAgain()
	return action
}

// OnClose is called on the connection's loop, also for those OnOpen refused.
func (h *handler) OnClose(sock gnet.Conn, _ error) gnet.Action {
	c, ok := sock.Context().(*clientConn)
	if !ok {
		return gnet.None
	}
	sock.SetContext(nil)
	h.server.reactors[c.handle.Reactor()].closed(c)
	return gnet.None
}

// reactorOf finds the reactor of a loop. gnet does not number its loops, so
// each is given the next reactor when it first shows itself.
func (s *Server) reactorOf(loop gnet.EventLoop) *reactor {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reactors[:s.loops] {
		if r.loop == loop {
			return r
		}
	}
	r := s.reactors[s.loops]
	r.loop, r.epoll = loop, epollOf(loop)
	if s.options.Idle != nil && !s.stopping.Load() {
		r.idler = newIdler(r, s.pump.writable.epoll(), func() bool { return s.pump.resting() && s.options.Idle() })
	}
	r.shown.Store(true)
	s.loops++
	return r
}
