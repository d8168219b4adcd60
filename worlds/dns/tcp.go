package dns

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"gatepass/guard"
)

const (
	// maxQueries bounds the questions of one TCP connection, for a fair turn.
	maxQueries = 1000
	// networkShare of MaxConns is for one network.
	networkShare = 8
)

// connSet is the open TCP connections.
type connSet struct {
	max, maxNetwork int // static

	mu       sync.Mutex
	open     map[*net.TCPConn]uint64 // to their networks
	networks guard.Counts[uint64]    // connections from each. Invariant: none is 0
	stopped  bool
}

func newConnSet(limit int) *connSet {
	return &connSet{
		max: limit, maxNetwork: max(limit/networkShare, 1),
		open: make(map[*net.TCPConn]uint64), networks: make(guard.Counts[uint64]),
	}
}

// add takes a connection if there is room.
func (cs *connSet) add(c *net.TCPConn) bool {
	n := guard.Provider(c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr())
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.stopped || len(cs.open) >= cs.max || cs.networks[n] >= cs.maxNetwork {
		return false
	}
	cs.open[c] = n
	cs.networks.Add(n, +1)
	return true
}

func (cs *connSet) remove(c *net.TCPConn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.networks.Add(cs.open[c], -1)
	delete(cs.open, c)
}

func (cs *connSet) count() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return len(cs.open)
}

// arm sets a connection's deadline for the next question, and reports false once
// there is to be none: stop must not be undone by a later deadline.
func (cs *connSet) arm(c *net.TCPConn, idle time.Duration) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return !cs.stopped && c.SetDeadline(time.Now().Add(idle)) == nil
}

// stop ends all reads; replies under way are still written.
func (cs *connSet) stop() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.stopped = true
	for c := range cs.open {
		_ = c.SetReadDeadline(longAgo())
	}
}

// serveTCP takes connections until the listener is closed.
func (s *Server) serveTCP() {
	for {
		c, err := s.tcp.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, say
			if !s.pause() {
				return
			}
		case !s.conns.add(c):
			s.count.ConnsRefused.Add(1)
			_ = c.Close()
		default:
			s.ended.Go(func() { s.serveConn(c) })
		}
	}
}

// serveConn answers the questions of one connection in their order (RFC 7766,
// 6.2.1.1 lets the client send several at once).
func (s *Server) serveConn(c *net.TCPConn) {
	defer s.conns.remove(c)
	defer c.Close()
	in := bufio.NewReaderSize(c, 2+maxQuery)
	buf := make([]byte, 2+maxQuery)
	for range maxQueries {
		if !s.conns.arm(c, s.options.IdleTimeout) {
			return
		}
		packet, err := readMessage(in)
		if err != nil {
			return
		}
		s.count.TCP.Add(1)
		src := s.source()
		r := s.respond(packet, carrier{}, &src, buf[2:])
		if r.bytes == nil {
			return // not a resolver
		}
		if err := writeMessage(c, buf, r.bytes); err != nil {
			s.count.Errors.Add(1)
			return
		}
		if _, err := in.Discard(2 + len(packet)); err != nil {
			return
		}
	}
}

// errLong: a question that is none.
var errLong = errors.New("dns: message longer than any question")

// readMessage waits for a whole message; it is good until the reader is used
// again, and is to be discarded with its length.
func readMessage(in *bufio.Reader) ([]byte, error) {
	length, err := in.Peek(2)
	if err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length))
	if n > maxQuery {
		return nil, errLong
	}
	b, err := in.Peek(2 + n)
	if err != nil {
		return nil, err
	}
	return b[2:], nil
}

// writeMessage sends a reply behind its length with one call. If the reply lies
// in buf[2:], as it does unless it was too long for it, nothing is copied.
func writeMessage(w io.Writer, buf, reply []byte) error {
	if &buf[2] != &reply[0] {
		buf = append(make([]byte, 2, 2+len(reply)), reply...)
	}
	binary.BigEndian.PutUint16(buf, uint16(len(reply)))
	_, err := w.Write(buf[:2+len(reply)])
	return err
}
