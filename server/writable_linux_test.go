package server

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// An armed socket reports once, with its handle, when it can be written to. A closed or
// forgotten socket does not.
func TestWritable_TellsOnce(t *testing.T) {
	w, err := newWritable()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	full, free, closed, forgotten := newPairSock(t), newPairSock(t), newPairSock(t), newPairSock(t)
	handle := func(slot int) codec.Conn { return codec.NewConn(codec.MaxReactors-1, slot, 1<<32-1) }
	for _, s := range []*pairSock{full, closed, forgotten} {
		fill(t, s)
	}
	for i, s := range []*pairSock{full, free, closed, forgotten} {
		if err := w.arm(s.fd, handle(i), false); err != nil {
			t.Fatal(err)
		}
	}
	w.forget(forgotten.fd)
	_ = closed.close()
	for _, s := range []*pairSock{closed, forgotten} {
		s.drain(make([]byte, 1<<16))
	}
	expect := func(want codec.Conn) {
		t.Helper()
		if got, err := w.wait(); err != nil || len(got) != 1 || got[0] != want {
			t.Fatalf("got %v (%v), want %v", got, err, want)
		}
	}
	expect(handle(1))
	full.drain(make([]byte, 1<<16))
	expect(handle(0)) // not the other socket, which was not armed again
	if err := w.arm(free.fd, handle(1), true); err != nil {
		t.Fatal(err)
	}
	expect(handle(1))
	w.interrupt()
	if _, err := w.wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("interrupted with %v", err)
	}
}

// fill writes until a socket takes no more.
func fill(t *testing.T, s *pairSock) {
	t.Helper()
	for b := make([]byte, 1<<12); ; {
		n, err := writeNow(s.fd, b)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func TestWriteNow_TellsThatThePeerIsGone(t *testing.T) {
	s := newPairSock(t)
	if !canWrite(s.fd) {
		t.Error("a fresh socket cannot be written to")
	}
	fill(t, s)
	if canWrite(s.fd) {
		t.Error("a full socket can be written to")
	}
	if err := unix.Shutdown(s.peer, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	if _, err := writeNow(s.fd, []byte{1}); !errors.Is(err, unix.EPIPE) {
		t.Errorf("wrote to nobody: %v", err)
	}
}

// If the kernel cannot say whether a socket takes bytes, the stream must not wait forever: the
// write finds out. The kernel refuses a poll of more sockets than a process may have.
func TestCanWrite_IsTrueWhereNobodyKnows(t *testing.T) {
	s := newPairSock(t)
	fill(t, s)
	var was unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	can := canWrite(s.fd)
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &was, nil); err != nil {
		t.Fatal(err)
	}
	if !can {
		t.Error("a socket that nobody knows anything of is waited for")
	}
}

// The rest of a frame for a client that is gone ends its connection. The stream does not wait
// for that socket.
func TestResumeStream_EndsWhereThePeerIsGone(t *testing.T) {
	s, _, _ := newQuiet(t)
	sock := newPairSock(t)
	if err := unix.Shutdown(sock.peer, unix.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	r := s.reactors[0]
	c := r.table.open(sock, &carrier{})
	c.stream = &stream{conn: c, state: streamFull, rest: []byte{1, 2, 3}}
	if done, err := r.sendRest(c.stream); done || !errors.Is(err, unix.EPIPE) {
		t.Errorf("sent to nobody: %t, %v", done, err)
	}
	if r.resumeStream(c.stream) {
		t.Error("the connection is kept")
	}
}
