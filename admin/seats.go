package admin

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// seats is the listener of the HTTP server. It lets in the server's own user and root
// alone, and bounds how many clients there are.
type seats struct {
	*Listener
	logger *slog.Logger
	// taken and turnedAway hold a token for each client with and without a seat.
	taken, turnedAway chan struct{}

	// guarded by mu
	mu       sync.Mutex
	clients  map[*peerConn]bool
	hurrying bool
}

func newSeats(l *Listener, logger *slog.Logger) *seats {
	return &seats{
		Listener: l, logger: logger, clients: make(map[*peerConn]bool),
		taken: make(chan struct{}, maxClients), turnedAway: make(chan struct{}, maxTurnedAway),
	}
}

// Accept waits for the next client. A client without a seat is let in for a moment, so
// that it can be told that the server is busy.
func (s *seats) Accept() (net.Conn, error) {
	for {
		conn, err := s.socket.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := s.peer(conn)
		if err != nil || uid != 0 && uid != uint32(os.Geteuid()) {
			s.logger.Warn("account control: refused a client of another user", "uid", uid, "error", err)
			_ = conn.Close()
			continue
		}
		if c := s.seat(&peerConn{UnixConn: conn, seats: s, uid: uid}); c != nil {
			return c, nil
		}
		_ = conn.Close()
	}
}

// Addr is the socket's.
func (s *seats) Addr() net.Addr { return s.socket.Addr() }

// seat gives the client a place; nil where there is none at all.
func (s *seats) seat(c *peerConn) *peerConn {
	select {
	case s.taken <- struct{}{}:
		c.place = s.taken
	default:
		select {
		case s.turnedAway <- struct{}{}:
			c.place, c.seatless = s.turnedAway, true
			time.AfterFunc(turnAwayWait, func() { _ = c.Close() })
		default:
			return nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c], c.hurried = true, s.hurrying
	return c
}

// hurry wakes every client that waits for a request, or for the rest of one: none will
// be carried out any more.
func (s *seats) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hurrying = true
	for c := range s.clients {
		c.hurried = true
		_ = c.UnixConn.SetReadDeadline(longAgo())
	}
}

// longAgo is a deadline that has passed.
func longAgo() time.Time { return time.Unix(1, 0) }

// peerKey finds the connection of a request in its context.
type peerKey struct{}

func (*seats) context(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, conn)
}

// peerConn is the connection of a client.
type peerConn struct {
	*net.UnixConn
	// static after Accept
	seats *seats
	uid   uint32
	// seatless clients are told that the server is busy.
	seatless bool
	place    chan struct{}
	once     sync.Once

	hurried bool // guarded by seats.mu
}

// SetReadDeadline keeps the deadline in the past once the server is to close.
func (c *peerConn) SetReadDeadline(t time.Time) error {
	c.seats.mu.Lock()
	defer c.seats.mu.Unlock()
	if c.hurried {
		t = longAgo()
	}
	return c.UnixConn.SetReadDeadline(t)
}

// Close ends the connection and gives its place to another. Idempotent.
func (c *peerConn) Close() error {
	err := c.UnixConn.Close()
	c.once.Do(func() {
		c.seats.mu.Lock()
		delete(c.seats.clients, c)
		c.seats.mu.Unlock()
		<-c.place
	})
	return err
}
