package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"gatepass/codec"
)

// carrier is frames whose sessions carry files. Each frame has its number in front; a frame of
// a file also has it at the end. The numbers show frames that were taken back wrongly, lost or
// doubled:
//
//	'F' number(4) offset(8) length(2) data number(4)
//	'R' number(4) AccountFlags(4)
//
// A frame of a client that begins with 'a' is an acknowledgement of the 8 bytes that follow.
type carrier struct {
	frames
	said uint32
}

// carrierData is how many bytes of a file a carrier's frame has.
const carrierData = 1_000

func (c *carrier) FileFrame() codec.FileFrame {
	return codec.FileFrame{Head: 15, Data: carrierData, Tail: 4}
}

func (c *carrier) FrameFile(frame []byte, offset uint64, n int) int {
	c.said++
	frame[0] = 'F'
	binary.BigEndian.PutUint32(frame[1:], c.said)
	binary.BigEndian.PutUint64(frame[5:], offset)
	binary.BigEndian.PutUint16(frame[13:], uint16(n))
	binary.BigEndian.PutUint32(frame[15+n:], c.said)
	return 15 + n + 4
}

func (c *carrier) UnframeFile(n int) { c.said -= uint32(n) }

func (c *carrier) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	c.said++
	dst = binary.BigEndian.AppendUint32(append(dst, 'R'), c.said)
	return binary.BigEndian.AppendUint32(dst, r.AccountFlags), nil
}

func (c *carrier) Decode(b []byte, m *codec.Message) (int, error) {
	n, err := c.frames.Decode(b, m)
	if err == nil && n == 10 && b[1] == 'a' {
		m.Kind, m.Number = codec.KindTransferAck, binary.BigEndian.Uint64(b[2:])
	}
	return n, err
}

// ack returns the message with which a client acknowledges everything before upTo.
func ack(upTo uint64) []byte { return binary.BigEndian.AppendUint64([]byte{9, 'a'}, upTo) }

// content is a file of a test. Each byte shows its position.
type content struct {
	// onRead is called before each read; its error is returned by ReadVector.
	onRead func(offset int64) error
	reads  atomic.Int64
}

func contentAt(offset uint64) byte { return byte(offset*31 ^ offset>>8 ^ offset>>16) }

func (c *content) ReadVector(pieces [][]byte, offset int64) error {
	c.reads.Add(1)
	if c.onRead != nil {
		if err := c.onRead(offset); err != nil {
			return err
		}
	}
	for _, p := range pieces {
		for i := range p {
			p[i] = contentAt(uint64(offset) + uint64(i))
		}
		offset += int64(len(p))
	}
	return nil
}

// newCarrierRig returns a rig whose clients can get files.
func newCarrierRig(t testing.TB, change func(o *Options)) *rig {
	return newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session { return &carrier{} }
		if change != nil {
			change(o)
		}
	})
}

// start begins a transfer.
func (r *rig) start(conn codec.Conn, t codec.Transfer) {
	r.t.Helper()
	if !r.Queue().StartTransfer(conn, &t) {
		r.t.Fatal("the send queue has no room")
	}
	r.Queue().Flush()
}

// endedFor waits for the end of a connection's transfer, checks it and returns its position.
func (r *rig) endedFor(conn codec.Conn, want codec.TransferEnd) (upTo uint64) {
	r.t.Helper()
	in := r.sinks[conn.Reactor()]
	eventually(r.t, "the transfer's end was delivered", func() bool { return len(in.of(codec.KindTransferEnded, conn)) > 0 })
	got := in.of(codec.KindTransferEnded, conn)
	if len(got) != 1 || got[0].Ended != want {
		r.t.Fatalf("ended %d times, first %v, want once %v", len(got), got[0].Ended, want)
	}
	return got[0].Number
}

// inState waits until a connection's stream has the wanted state.
func (r *rig) inState(conn codec.Conn, want streamState) {
	r.t.Helper()
	eventually(r.t, fmt.Sprint("the stream is in state ", want), func() (is bool) {
		r.onReactor(conn.Reactor(), func(re *reactor) {
			c := re.table.get(conn)
			is = c != nil && c.stream != nil && c.stream.state == want
		})
		return is
	})
}

// nothingLeft checks that no stream, turn or buffer is left anywhere.
func (r *rig) nothingLeft() {
	r.t.Helper()
	p := r.pump
	eventually(r.t, "all turns have come back", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.flight == 0 && p.line.n == 0 && len(p.later) == 0
	})
	if n := r.Stats().TransfersRunning; n != 0 {
		r.t.Errorf("%d transfers are running", n)
	}
	for i, re := range r.reactors {
		if !re.shown.Load() {
			continue
		}
		r.onReactor(i, func(re *reactor) {
			if re.waiters.first != nil || re.waiters.last != nil || re.streams.Load() != 0 || re.turn.buffer != nil {
				r.t.Errorf("reactor %d has streams left", i)
			}
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) != p.made || p.made > p.options.Readers*turnsAReader {
		r.t.Errorf("%d of %d buffers came back", len(p.free), p.made)
	}
}

// audience is a client that checks the frames that it gets.
type audience struct {
	t       testing.TB
	in      *bufio.Reader
	heard   uint32 // the number of the last frame or reply
	at      uint64 // end of the file data that it has
	replies []uint32
}

func listen(t testing.TB, c net.Conn, from uint64) *audience {
	return &audience{t: t, in: bufio.NewReaderSize(c, 1<<14), at: from}
}

// next reads one frame or reply and checks it. An error means the end of the connection.
func (a *audience) next() error {
	var head [15]byte
	if _, err := io.ReadFull(a.in, head[:9]); err != nil {
		return err
	}
	a.heard++
	if n := binary.BigEndian.Uint32(head[1:]); n != a.heard {
		return fmt.Errorf("%q has number %d, want %d", head[0], n, a.heard)
	}
	switch head[0] {
	case 'R':
		a.replies = append(a.replies, binary.BigEndian.Uint32(head[5:]))
		return nil
	case 'F':
		if _, err := io.ReadFull(a.in, head[9:]); err != nil {
			return err
		}
		return a.takeFile(binary.BigEndian.Uint64(head[5:]), int(binary.BigEndian.Uint16(head[13:])))
	}
	return fmt.Errorf("frame of kind %q", head[0])
}

func (a *audience) takeFile(offset uint64, n int) error {
	if offset != a.at || n < 1 || n > carrierData {
		return fmt.Errorf("%d bytes from %d, want them from %d", n, offset, a.at)
	}
	var body [carrierData + 4]byte
	if _, err := io.ReadFull(a.in, body[:n+4]); err != nil {
		return err
	}
	for i := range n {
		if body[i] != contentAt(a.at) {
			return fmt.Errorf("byte %d is wrong", a.at)
		}
		a.at++
	}
	if tail := binary.BigEndian.Uint32(body[n:]); tail != a.heard {
		return fmt.Errorf("the tail has number %d, want %d", tail, a.heard)
	}
	return nil
}

// until reads until it has the file up to upTo.
func (a *audience) until(upTo uint64) {
	a.t.Helper()
	for a.at < upTo {
		if err := a.next(); err != nil {
			a.t.Fatalf("at byte %d of %d: %v", a.at, upTo, err)
		}
	}
	if a.at != upTo {
		a.t.Fatalf("has %d bytes, want %d", a.at, upTo)
	}
}

// reply reads until a reply comes and checks it.
func (a *audience) reply(want uint32) {
	a.t.Helper()
	for had := len(a.replies); len(a.replies) == had; {
		if err := a.next(); err != nil {
			a.t.Fatalf("at byte %d: %v", a.at, err)
		}
	}
	if got := a.replies[len(a.replies)-1]; got != want {
		a.t.Fatalf("reply %d, want %d", got, want)
	}
}

// toEnd reads until the connection ends.
func (a *audience) toEnd() error {
	for {
		if err := a.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// narrow gives a client a small TCP window, so that turns are cut. A smaller window would hold
// less than two packets of the loopback, and TCP then pauses between packets.
func narrow(t testing.TB, c *net.TCPConn) {
	t.Helper()
	if err := c.SetReadBuffer(96 << 10); err != nil {
		t.Fatal(err)
	}
}
