package main

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
	// scrapers and an operator need a handful. They come out of the file descriptors
	// that are kept back from clients, so a flood here takes none from players.
	adminConns = 64
	// adminSpare is how many descriptors are held back for it: where something else
	// has taken all there are, health and metrics can still be asked for.
	adminSpare = 8
	// adminReadLimit is how long a request may take to arrive whole, adminWriteLimit
	// how long an answer may take to be read; profiles take as long as asked besides.
	adminReadLimit  = 5 * time.Second
	adminWriteLimit = 30 * time.Second
	// adminIdleLimit is how long a connection may rest between two requests: longer
	// than the usual scrape interval, so that scrapers keep theirs.
	adminIdleLimit = 2 * time.Minute
	// adminScrapes is how many scrapes are made at once; a scrape reads every counter.
	adminScrapes = 8
	// profileLimit is the longest profile: while one is made it takes a connection.
	profileLimit = 10 * time.Minute
)

// adminSeats bounds the connections of an HTTP server. Where there is one too many,
// the one that has rested longest is closed for it, so that idle ones keep nobody out;
// a connection whose request is being answered is never closed, and where all are,
// the new one is.
type adminSeats struct {
	limit int // static

	mu      sync.Mutex
	resting map[net.Conn]time.Time // has no request, since when
	active  map[net.Conn]bool      // is being answered
}

func newAdminSeats(limit int) *adminSeats {
	return &adminSeats{limit: limit, resting: make(map[net.Conn]time.Time), active: make(map[net.Conn]bool)}
}

// note follows a connection; it is the server's ConnState. Any goroutine.
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

// makeRoomLocked closes the connection that has rested longest, or else c.
func (s *adminSeats) makeRoomLocked(c net.Conn) {
	oldest, since := c, time.Now()
	for r, at := range s.resting {
		if at.Before(since) {
			oldest, since = r, at
		}
	}
	_ = oldest.Close()
	delete(s.resting, oldest) // the server will note its end, too
}

// spareListener holds file descriptors back for the connections it accepts. When an
// accept fails because there is no descriptor left, one of them is given up for it; it
// is taken again as soon as that can be.
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

// noDescriptor tells that a call failed because there is no file descriptor left for
// it, in the process or on the machine.
func noDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// release gives one descriptor up; false means that there was none.
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

// refill takes as many descriptors as are missing, while there are any.
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

// Close ends the listener and gives the descriptors back. Any goroutine.
func (s *spareListener) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for s.release() {
	}
	return s.Listener.Close()
}
