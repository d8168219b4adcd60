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
	// maxQueries is the maximum number of questions on one TCP connection, so that other
	// clients get a turn.
	maxQueries = 1000
	// networkShare: one network may have 1/networkShare of MaxConns.
	networkShare = 8
)

// connSet is the set of open TCP connections.
type connSet struct {
	max, maxNetwork int // static

	mu       sync.Mutex
	open     map[*net.TCPConn]uint64 // connection → its network
	networks guard.Counts[uint64]    // connections of each network. Invariant: no count is 0
	stopped  bool
}

func newConnSet(limit int) *connSet {
	return &connSet{
		max: limit, maxNetwork: max(limit/networkShare, 1),
		open: make(map[*net.TCPConn]uint64), networks: make(guard.Counts[uint64]),
	}
}

// add adds a connection. It returns false if there is no room.
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

// arm sets a connection's deadline for the next question. It returns false after stop, because
// a later deadline must not undo stop.
func (cs *connSet) arm(c *net.TCPConn, idle time.Duration) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return !cs.stopped && c.SetDeadline(time.Now().Add(idle)) == nil
}

// stop ends all reads. Replies in progress are still written.
func (cs *connSet) stop() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.stopped = true
	for c := range cs.open {
		_ = c.SetReadDeadline(longAgo())
	}
}

// serveTCP accepts connections until the listener is closed.
func (s *Server) serveTCP() {
	for {
		c, err := s.tcp.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // for example no free descriptors
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

// serveConn answers the questions of one connection in order (RFC 7766, 6.2.1.1 lets the
// client send several at once).
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
			return // the client is not a resolver
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

// errLong: the message is too long for a question.
var errLong = errors.New("dns: message longer than any question")

// readMessage waits for a whole message. The result is valid until the reader is used again.
// The caller must discard it from the reader, including its length field.
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

// writeMessage sends a reply and its length in one write. If the reply is in buf[2:], it is
// not copied. It is there unless it was too long for buf.
func writeMessage(w io.Writer, buf, reply []byte) error {
	if &buf[2] != &reply[0] {
		buf = append(make([]byte, 2, 2+len(reply)), reply...)
	}
	binary.BigEndian.PutUint16(buf, uint16(len(reply)))
	_, err := w.Write(buf[:2+len(reply)])
	return err
}
