package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"gatepass/guard"
	"gatepass/worlds"
)

// Errors of Start.
var (
	// ErrClosed: Close was called before.
	ErrClosed = errors.New("dns: closed")
	// ErrStarted: Start was called before.
	ErrStarted = errors.New("dns: already started")
)

// Server is the name server of one zone.
type Server struct {
	// Static after New.
	options Options
	zone    *zone
	limiter *limiter // nil for none
	conns   *connSet

	// table is replaced as a whole under tableMu. Any goroutine may read it.
	table   atomic.Pointer[[]login]
	tableMu sync.Mutex
	// complaints limits the log lines about invalid heartbeats. Guarded by tableMu.
	complaints guard.Pace

	// Guarded by mu: Start and Close.
	mu      sync.Mutex
	udp     *udpSocket       // nil before Start
	tcp     *net.TCPListener // nil before Start
	closed  bool
	closing chan struct{} // closed when Close begins
	ended   sync.WaitGroup

	count Counts
}

// New returns a server. It reports all faults of the options at once. It opens no sockets.
func New(o Options) (*Server, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	z, err := newZone(&o)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: o, zone: z, limiter: newLimiter(&o, o.Random()),
		conns: newConnSet(o.MaxConns), closing: make(chan struct{}),
	}
	s.table.Store(new([]login))
	return s, nil
}

// logins returns the current table, which must not be changed.
func (s *Server) logins() []login { return *s.table.Load() }

// Beat stores a login server's heartbeat. Answers that begin after it returns use it. An
// invalid heartbeat is counted and logged, at most once a minute. Any goroutine, also before
// Start and after Close.
func (s *Server) Beat(b worlds.LoginBeat) {
	now := s.options.Clock()
	s.tableMu.Lock()
	defer s.tableMu.Unlock()
	l, err := s.zone.newLogin(&b, now)
	if err == nil {
		err = s.replaceLocked(l)
	}
	if err == nil {
		s.count.Beats.Add(1)
		return
	}
	s.count.BeatsRefused.Add(1)
	if s.complaints.Due(now, time.Minute) {
		s.options.Logger.Warn("heartbeat refused", "node", string(b.Node), "address", b.Address, "err", err)
	}
}

func (s *Server) replaceLocked(l login) error {
	logins, was, err := s.zone.with(s.logins(), l)
	if err != nil {
		return err
	}
	s.table.Store(&logins)
	now, log := s.zone.healthy(&l, l.heard), s.options.Logger
	switch before := was != nil && s.zone.healthy(was, l.heard); {
	case now && !before:
		log.Info("login server is named", "name", l.target, "address", l.addr)
	case before && !now:
		log.Info("login server drains and is no longer named", "name", l.target)
	case before && was.addr != l.addr:
		log.Info("login server has moved", "name", l.target, "address", l.addr)
	}
	return nil
}

// source returns the data for an answer that is made now.
func (s *Server) source() source {
	return source{logins: s.logins(), now: s.options.Clock(), serial: uint32(s.options.Now().Unix()), random: s.options.Random}
}

// respond returns the reply to a packet and counts it. A panic loses only this reply; the
// server continues.
func (s *Server) respond(packet []byte, c carrier, src *source, buf []byte) (r reply) {
	defer func() {
		if fault := recover(); fault != nil {
			s.count.Panics.Add(1)
			s.options.Logger.Error("answering failed", "fault", fault)
			r = reply{outcome: OutcomeSilence}
		}
		s.count.replied(&r)
	}()
	return s.zone.respond(packet, c, src, buf)
}

// Start opens both sockets and serves. Any goroutine, once.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.udp != nil:
		return ErrStarted
	}
	if err := s.listenLocked(); err != nil {
		return fmt.Errorf("dns: %w", err)
	}
	for range runtime.GOMAXPROCS(0) {
		s.ended.Go(s.serveUDP)
	}
	s.ended.Go(s.serveTCP)
	return nil
}

// portTries is the number of attempts to find a port that is free for both UDP and TCP.
const portTries = 16

// listenLocked opens TCP and then UDP on the same port.
func (s *Server) listenLocked() (err error) {
	for range portTries {
		var l net.Listener
		if l, err = net.Listen("tcp", s.options.Listen); err != nil {
			return err
		}
		s.tcp = l.(*net.TCPListener)
		host, asked, _ := net.SplitHostPort(s.options.Listen)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if s.udp, err = listenUDP(net.JoinHostPort(host, port)); err == nil {
			return nil
		}
		err = errors.Join(err, l.Close())
		s.tcp, s.udp = nil, nil
		if asked != "0" {
			return err
		}
	}
	return err
}

// Addr returns the address on which the server listens; the zero value before Start. Any
// goroutine.
func (s *Server) Addr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tcp == nil {
		return netip.AddrPort{}
	}
	a := s.tcp.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Close stops the server. It answers the questions already read, and returns when all
// goroutines of the server have ended. Idempotent, any goroutine.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	if s.closed = true; first {
		close(s.closing)
	}
	udp, tcp := s.udp, s.tcp
	s.mu.Unlock()
	if udp == nil {
		return nil
	}
	if !first {
		s.ended.Wait()
		return nil
	}
	// The UDP socket stays open until its workers have replied.
	err := errors.Join(tcp.Close(), udp.conn.SetReadDeadline(longAgo()))
	s.conns.stop()
	s.ended.Wait()
	return errors.Join(err, udp.conn.Close())
}

// longAgo returns a deadline in the past, which ends a read in progress.
func longAgo() time.Time { return time.Unix(1, 0) }

// pause waits for a short time after an error that may repeat. It returns false if the server
// is closing.
func (s *Server) pause() bool {
	s.count.Errors.Add(1)
	select {
	case <-s.closing:
		return false
	case <-time.After(errorPause):
		return true
	}
}

// errorPause prevents an error that repeats from using a whole core.
const errorPause = 5 * time.Millisecond
