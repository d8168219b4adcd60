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

// ErrStopped is sent by Failed when the event loops ended without a call of Close.
var ErrStopped = errors.New("server: event loops ended by themselves")

// Server has listeners, their reactors and a sender. Call New, Start, then optionally Drain,
// then Close.
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

	started  bool // owned by the caller of Start and Close
	booted   chan struct{}
	finished chan struct{}
	failed   chan error // one slot

	mu     sync.Mutex
	loops  int // reactors that have found their loop; guarded by mu
	closed sync.Once
}

// New returns a server that does not listen yet.
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

// Queue returns the send queue. It belongs to one goroutine, the logic's.
func (s *Server) Queue() *SendQueue { return s.queue }

// Addr returns the address of the first listener, with its actual port. Valid after Start.
func (s *Server) Addr() netip.AddrPort { return s.AddrOf(0) }

// AddrOf returns the address of listener i, with its actual port. Valid after Start.
func (s *Server) AddrOf(i int) netip.AddrPort { return s.addrs[i] }

// Failed returns a channel that delivers one error if the event loops end by themselves. The
// server then serves nothing any more, and the process should end.
func (s *Server) Failed() <-chan error { return s.failed }

// Start listens and returns once the server accepts connections.
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

// gnetOptions returns the options for gnet. ReusePort gives each loop its own listening
// sockets, so that no loop hands connections to another.
func (s *Server) gnetOptions() gnet.Options {
	return gnet.Options{
		ReusePort:     true,
		ReuseAddr:     true, // avoids bind errors from TIME_WAIT
		NumEventLoop:  s.options.Reactors,
		ReadBufferCap: DefaultReadBuffer,
		// gnet allocates a static outbound buffer only when a write is incomplete.
		WriteBufferCap: DefaultReadBuffer,
		TCPKeepAlive:   keepAlive,
		TCPNoDelay:     gnet.TCPNoDelay,
		Logger:         gnetLogger{server: s, to: s.options.Logger},
	}
}

// watch reports an unexpected end of the engine as a failure. gnet may return nil then.
func (s *Server) watch(result <-chan error) {
	err := <-result
	if !s.stopping.Load() {
		s.failed <- errors.Join(ErrStopped, err)
	}
}

// Drain refuses every connection from now on. Open connections stay. Anywhere.
func (s *Server) Drain() { s.draining.Store(true) }

// Conns returns how many connections are open. Anywhere.
func (s *Server) Conns() int { return int(s.conns.Load()) }

// Resume tells a reactor that its sink has room again. Anywhere.
func (s *Server) Resume(reactor int) {
	if r := s.reactors[reactor]; r.shown.Load() {
		_ = r.loop.Execute(context.Background(), payOwed{r}) // fails only once the engine has stopped
	}
}

// closeLimit is how long Close waits for the event loops, and for reads of files.
const closeLimit = 10 * time.Second

// Close sends what is queued, closes every connection and stops the server. The logic must not
// send any more. Close is idempotent and returns when all goroutines have ended. It does
// nothing for a server that was not started or whose start failed.
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
		_ = s.engine.Stop(ask) // only asks; Stop polls for the end every 0.5 s
		select {
		case <-s.finished:
			s.pump.writable.close() // nothing uses it any more
		case <-time.After(closeLimit):
			err = errors.Join(err, fmt.Errorf("server: event loops did not end within %v", closeLimit))
		}
	})
	return err
}

// closeIdlers stops the idlers. It runs before the loops end, because the idlers wait on their
// epolls.
func (s *Server) closeIdlers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reactors {
		r.idler.close()
	}
}

// handler receives gnet's callbacks. One handler serves all loops.
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
			return gnet.None // the write has closed the connection
		}
	}
	r.lookAgain()
	return action
}

// OnClose is called on the connection's loop, also for connections that OnOpen refused.
func (h *handler) OnClose(sock gnet.Conn, _ error) gnet.Action {
	c, ok := sock.Context().(*clientConn)
	if !ok {
		return gnet.None
	}
	sock.SetContext(nil)
	h.server.reactors[c.handle.Reactor()].closed(c)
	return gnet.None
}

// reactorOf returns the reactor of a loop. gnet does not number its loops, so each loop gets
// the next free reactor at its first callback.
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
