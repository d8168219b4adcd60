package server

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// pairSock is a socket whose peer the test reads.
type pairSock struct {
	quietSock
	fd, peer int
	close    func() error // of fd
}

func (s *pairSock) Fd() int { return s.fd }

func newPairSock(tb testing.TB) *pairSock {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		tb.Fatal(err)
	}
	s := &pairSock{fd: fds[0], peer: fds[1], close: sync.OnceValue(func() error { return unix.Close(fds[0]) })}
	tb.Cleanup(func() { _ = errors.Join(s.close(), unix.Close(s.peer)) })
	if err := errors.Join(unix.SetNonblock(fds[0], true), unix.SetNonblock(fds[1], true)); err != nil {
		tb.Fatal(err)
	}
	return s
}

// drain reads and discards what was sent.
func (s *pairSock) drain(into []byte) (n int) {
	for {
		got, err := unix.Read(s.peer, into)
		if err != nil || got == 0 {
			return n
		}
		n += got
	}
}

// still is a file of zeros.
type still struct{}

func (still) ReadVector([][]byte, int64) error { return nil }

// Budget: 0 allocations for each turn, from the queue to the socket and back into the queue,
// whether or not the socket takes all of it.
func TestBudget_Turn_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s, _, _ := newQuiet(t)
	var err error
	if s.pump.writable, err = newWritable(); err != nil {
		t.Fatal(err)
	}
	defer s.pump.writable.close()
	r, sock := s.reactors[0], newPairSock(t)
	r.turns.scheduled = true // as if a task was running, so that none is sent
	c := r.table.open(sock, &carrier{})
	if !r.begin(c, &codec.Transfer{Source: still{}, Size: 1 << 50}) {
		t.Fatal("the transfer did not begin")
	}
	into, got, cuts := make([]byte, 1<<20), 0, 0
	turn := func() {
		if c.stream.state == streamFull {
			cuts++
			got += sock.drain(into)
			r.turns.giveWritable([]codec.Conn{c.handle}, 0)
			r.takeTurn()
		}
		turn, ok := s.pump.next()
		if !ok {
			t.Fatal("the pump has ended")
		}
		turn.load()
		r.turns.give(turn)
		r.takeTurn()
	}
	for range 20 {
		turn()
	}
	if n := testing.AllocsPerRun(500, turn); n != 0 {
		t.Errorf("%v allocations a turn, want 0", n)
	}
	if cuts == 0 || got == 0 || s.pump.made != 1 || s.Stats().TransferTurns < 500 {
		t.Errorf("%d turns were cut, %d bytes arrived, %d buffers were made", cuts, got, s.pump.made)
	}
}

// Budget: a transfer whose client does not read costs at most 400 bytes of heap, plus the rest
// of the cut frame, which is less than a frame. gnet keeps nothing.
func TestBudget_StalledTransfers_Heap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is not ours")
	}
	const most = 400
	clients := budgetClients(t)
	r := newCarrierRig(t, nil)
	conns, handles := r.openMany(clients)
	source := &content{}
	for range 4 { // the queues then have their memory already
		for _, h := range handles {
			r.Queue().SendFrame(h, []byte{0})
		}
		writes := uint64(r.Stats().Writes)
		r.Queue().Flush()
		eventually(t, "all was written", func() bool { return uint64(r.Stats().Writes) == writes+uint64(clients) })
	}
	before := heapInUse()
	for i, h := range handles {
		if err := conns[i].SetReadBuffer(8 << 10); err != nil {
			t.Fatal(err)
		}
		r.start(h, codec.Transfer{Source: source, Size: 1 << 40})
	}
	rests := 0
	eventually(t, "all have stalled", func() bool {
		full := 0
		r.onReactor(0, func(re *reactor) {
			rests = 0
			for _, h := range handles {
				if c := re.table.get(h); c.stream != nil && c.stream.state == streamFull {
					full++
					rests += cap(c.stream.rest) + c.sock.OutboundBuffered()
				}
			}
		})
		return full == clients
	})
	used := heapInUse() - before - int64(rests) - int64(r.pump.made)*turnSize
	t.Logf("%d bytes a transfer beside %d of cut frames, %d turn buffers", used/int64(clients), rests/clients, r.pump.made)
	if frame := (&carrier{}).FileFrame().Size(); rests > clients*frame {
		t.Errorf("%d bytes of cut frames are kept a transfer, want %d at most", rests/clients, frame)
	}
	if used > int64(clients)*most {
		t.Errorf("%d bytes a stalled transfer, want %d at most", used/int64(clients), most)
	}
	runtime.KeepAlive(source)
}

// budgetClients returns 2,000, or fewer if the limit of open files requires it: each client
// uses two.
func budgetClients(t *testing.T) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	n := min(2_000, (int(min(l.Cur, 1<<20))-FileReserve)/2-100)
	if n < 100 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must allow more open files: ulimit -n 8192")
		}
		t.Skip("too few open files are allowed: ulimit -n 8192")
	}
	return n
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
