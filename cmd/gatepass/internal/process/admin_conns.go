package process

import (
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// The limits of the admin listener, each with its reason.
const (
	// adminConns is how many connections the admin listener has at once. Probes, a few
	// scrapers and an operator need a handful. Their descriptors are among those that are
	// kept back from clients, so that a flood here takes none from players.
	adminConns = 64
	// adminSpare is how many descriptors are held back for the listener, so that health
	// and metrics can be read when all other descriptors are in use.
	adminSpare = 8
	// adminReadLimit is how long a request may take to arrive. adminWriteLimit is how long
	// an answer may take to be read, in addition to the length of a profile.
	adminReadLimit  = 5 * time.Second
	adminWriteLimit = 30 * time.Second
	// adminIdleLimit is how long a connection may be idle between two requests. It is
	// longer than the usual scrape interval, so that scrapers keep their connection.
	adminIdleLimit = 2 * time.Minute
	// adminScrapes is how many scrapes are answered at once. Each reads every counter.
	adminScrapes = 8
	// profileLimit is the longest profile. A profile occupies a connection meanwhile.
	profileLimit = 10 * time.Minute
)

// adminSeats limits the connections of an HTTP server. If there is one too many, it
// closes the connection that has been idle longest, so that idle connections keep nobody
// out. It never closes a connection whose request is being answered: if all are, it
// closes the new one.
type adminSeats struct {
	limit int // static

	mu      sync.Mutex
	resting map[net.Conn]time.Time // connections without a request, and since when
	active  map[net.Conn]bool      // connections whose request is being answered
}

func newAdminSeats(limit int) *adminSeats {
	return &adminSeats{limit: limit, resting: make(map[net.Conn]time.Time), active: make(map[net.Conn]bool)}
}

// note takes each change of a connection's state; it is the server's ConnState. Any
// goroutine.
func (s *adminSeats) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, c)
	switch state {
	case http.StateNew:
		if len(s.resting)+len(s.active) >= s.limit {
			s.makeRoomLocked(c)
		}
		s.resting[c] = time.Now()
	case http.StateIdle:
		s.resting[c] = time.Now()
	case http.StateActive:
		delete(s.resting, c)
		s.active[c] = true
	default:
		delete(s.resting, c)
	}
}

// makeRoomLocked closes the connection that has been idle longest, or c if none is idle.
func (s *adminSeats) makeRoomLocked(c net.Conn) {
	oldest, since := c, time.Now()
	for r, at := range s.resting {
		if at.Before(since) {
			oldest, since = r, at
		}
	}
	_ = oldest.Close()
	delete(s.resting, oldest) // the server reports its end later too
}

// spareListener holds spare file descriptors for the connections that it accepts. If an
// accept fails because no descriptor is left, it closes a spare one and accepts again. It
// opens the spare one anew as soon as it can.
type spareListener struct {
	net.Listener

	mu     sync.Mutex
	spare  []*os.File
	closed bool
}

func newSpareListener(l net.Listener) *spareListener {
	s := &spareListener{Listener: l}
	s.refill()
	return s
}

// Accept waits for the next connection. Any goroutine.
func (s *spareListener) Accept() (net.Conn, error) {
	s.refill()
	c, err := s.Listener.Accept()
	for noDescriptor(err) && s.release() {
		c, err = s.Listener.Accept()
	}
	return c, err
}

// noDescriptor reports whether a call failed because no file descriptor was left, in the
// process or on the machine.
func noDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// release closes one spare descriptor and reports whether there was one.
func (s *spareListener) release() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spare) == 0 {
		return false
	}
	last := len(s.spare) - 1
	_ = s.spare[last].Close()
	s.spare = s.spare[:last]
	return true
}

// refill opens the spare descriptors that are missing, as far as it can.
func (s *spareListener) refill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && len(s.spare) < adminSpare {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		s.spare = append(s.spare, f)
	}
}

// Close ends the listener and closes the spare descriptors. Any goroutine.
func (s *spareListener) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for s.release() {
	}
	return s.Listener.Close()
}
