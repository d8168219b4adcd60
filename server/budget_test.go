package server

import (
	"log/slog"
	"runtime"
	"testing"

	"github.com/panjf2000/gnet/v2"

	"gatepass/codec"
)

// quietSock is a socket that accepts all bytes.
type quietSock struct {
	gnet.Conn
	bytes, writes int
}

func (s *quietSock) Write(b []byte) (int, error) {
	s.bytes += len(b)
	s.writes++
	return len(b), nil
}

func (s *quietSock) Writev(bs [][]byte) (n int, err error) {
	for _, b := range bs {
		n += len(b)
	}
	s.bytes += n
	s.writes++
	return n, nil
}

func (*quietSock) OutboundBuffered() int { return 0 }
func (*quietSock) InboundBuffered() int  { return 0 }

// newQuiet returns a server that does not run, with one connection on a fake socket.
func newQuiet(tb testing.TB) (s *Server, conn codec.Conn, sock *quietSock) {
	tb.Helper()
	s, err := New(Options{
		Listeners: listening(":0"), Reactors: 1, Logger: slog.New(slog.DiscardHandler),
		Sink: func(int) Sink { return &inbox{} },
	})
	if err != nil {
		tb.Fatal(err)
	}
	sock = &quietSock{}
	return s, s.reactors[0].table.open(sock, &frames{}).handle, sock
}

// Budget: 0 allocations from the reactor's mail to the socket, for replies, frames and
// broadcasts.
func TestBudget_Write_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s, conn, sock := newQuiet(t)
	entries := batchFor(conn)
	work := make([]Outgoing, len(entries))
	write := func() {
		copy(work, entries)
		s.reactors[0].write(work)
	}
	write()
	if n := testing.AllocsPerRun(1_000, write); n != 0 {
		t.Errorf("%v allocations a batch, want 0", n)
	}
	if sock.writes != 1_002 || sock.bytes != 1_002*len(entries)*5 {
		t.Errorf("%d bytes in %d writes", sock.bytes, sock.writes)
	}
}

// batchFor returns a batch of 48 entries for a connection, 5 bytes each.
func batchFor(conn codec.Conn) (entries []Outgoing) {
	for i := range uint32(16) {
		entries = append(entries,
			Outgoing{Conn: conn, Reply: *numbered(i)},
			Outgoing{Conn: conn, Frame: numberedBytes(i)},
			Outgoing{Targets: []codec.Conn{conn}, Frame: numberedBytes(i)})
	}
	return entries
}

// Budget: 0 allocations when each connection's frames are sealed, in batches larger than
// outBound.
func TestBudget_WriteSealed_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s, plain, _ := newQuiet(t)
	r := s.reactors[0]
	targets := []codec.Conn{plain}
	for range 63 {
		targets = append(targets, r.table.open(&quietSock{}, &sealed{}).handle)
	}
	frame := make([]byte, 5_000) // with 5 bytes each for sealing: more than outBound in total
	entries := []Outgoing{{Targets: targets, Frame: frame}, {Conn: targets[1], Reply: *numbered(1)}}
	work := make([]Outgoing, len(entries))
	write := func() {
		copy(work, entries)
		r.write(work)
	}
	write()
	if n := testing.AllocsPerRun(200, write); n != 0 {
		t.Errorf("%v allocations a batch, want 0", n)
	}
	if n := cap(r.out); n > 2*outBound {
		t.Errorf("%d bytes are kept, want at most %d", n, 2*outBound)
	}
}

// Budget: 0 allocations from the logic's Send through the sender to the reactor's mail. (To
// send a reactor a task, gnet allocates two small objects. A reactor in a callback, as here,
// gets no task.)
func TestBudget_SendQueue_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s, conn, _ := newQuiet(t)
	r := s.reactors[0]
	r.shown.Store(true)
	r.mail.busy.Store(true)
	go s.sender.run()
	reply, frame := numbered(1), numberedBytes(1)
	round := func() {
		for range 16 {
			s.queue.Send(conn, reply)
			s.queue.SendFrame(conn, frame)
		}
		s.queue.Flush()
		for taken := 0; taken < 32; {
			n := len(r.mail.take())
			s.sender.handed.Add(-int64(n))
			if taken += n; n == 0 {
				runtime.Gosched()
			}
		}
	}
	for range 100 {
		round()
	}
	if n := testing.AllocsPerRun(1_000, round); n != 0 {
		t.Errorf("%v allocations a round, want 0", n)
	}
	s.sender.stop.Push(&struct{}{})
	<-s.sender.done
}

// BenchmarkReactor_Write measures the last stage with a fake socket. ns/reply is the time for
// one reply in a batch of 48.
func BenchmarkReactor_Write(b *testing.B) {
	s, conn, sock := newQuiet(b)
	entries := batchFor(conn)
	work := make([]Outgoing, len(entries))
	b.ReportAllocs()
	for b.Loop() {
		copy(work, entries)
		before := sock.bytes
		s.reactors[0].write(work)
		if sock.bytes-before != 5*len(entries) {
			b.Fatal("bytes are missing")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(entries)), "ns/reply")
}
