package server

import (
	"bytes"
	"net"
	"syscall"
	"testing"

	"gatepass/codec"
)

// The kernel gives a new connection the file descriptor that was closed last. A late reply to
// the old connection must not reach the new one.
func TestReactor_Write_DeadHandleNeverReachesTheNextOwnerOfItsDescriptor(t *testing.T) {
	r := newRig(t, nil)
	a, handleA := r.open()
	fdA := r.fd(handleA)

	// B's socket is made before A ends, so that accept takes A's descriptor, which is the
	// lowest free one.
	var b net.Conn
	dialer := net.Dialer{Control: func(string, string, syscall.RawConn) error {
		if err := a.CloseWrite(); err != nil {
			return err
		}
		r.closedFor(handleA, codec.ClosePeer)
		r.onReactor(0, func(*reactor) {}) // the descriptor is closed after the message
		return nil
	}}
	b, err := dialer.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	eventually(t, "B is open", func() bool { return len(r.sinks[0].of(codec.KindOpened, 0)) == 2 })
	handleB := r.sinks[0].of(codec.KindOpened, 0)[1].Conn
	if fdB := r.fd(handleB); fdB != fdA {
		t.Fatalf("B has descriptor %d, not A's %d: the test proves nothing", fdB, fdA)
	}
	if handleA.Slot() != handleB.Slot() {
		t.Fatalf("B has slot %d, not A's %d: the test proves nothing", handleB.Slot(), handleA.Slot())
	}

	q := r.Queue()
	q.SendFrame(handleA, []byte("a secret of A's"))
	q.Send(handleA, numbered(1))
	q.Broadcast([]codec.Conn{handleA, handleB}, []byte("for all;"))
	q.SendLast(handleA, numbered(2))
	q.Close(handleA, codec.CloseLogic)
	q.SendFrame(handleB, []byte("for B"))
	q.Close(handleB, codec.CloseLogic)
	q.Flush()
	ends(t, b, []byte("for all;for B"))
	if n := r.settled().DeadHandles; n != 5 {
		t.Errorf("%d dead handles counted, want 5", n)
	}
}

// fd returns the server's descriptor of a connection.
func (r *rig) fd(conn codec.Conn) (fd int) {
	r.t.Helper()
	r.onReactor(conn.Reactor(), func(re *reactor) {
		if c := re.table.get(conn); c != nil {
			fd = c.sock.Fd()
		}
	})
	if fd == 0 {
		r.t.Fatalf("%v is not open", conn)
	}
	return fd
}

func TestReactor_Write_OneWriteAConnectionABatchInOrder(t *testing.T) {
	r := newRig(t, nil)
	clients, handles := r.openMany(3)
	const rounds = 50
	q, before := r.Queue(), r.settled()
	for i := range uint32(rounds) { // interleaved, and replies mixed with frames
		for c, h := range handles {
			if (int(i)+c)%2 == 0 {
				q.Send(h, numbered(i))
			} else {
				q.SendFrame(h, numberedBytes(i))
			}
		}
	}
	q.Flush()
	var want []byte
	for i := range uint32(rounds) {
		want = append(want, numberedBytes(i)...)
	}
	for _, c := range clients {
		says(t, c, want)
	}
	after := r.settled()
	if n := after.Writes - before.Writes; n != 3 {
		t.Errorf("%d writes for 3 connections, want 3", n)
	}
	if n := after.Batches - before.Batches; n != 1 {
		t.Errorf("%d batches, want 1", n)
	}
	if n := uint64(after.BytesOut - before.BytesOut); n != uint64(3*len(want)) {
		t.Errorf("%d bytes counted, want %d", n, 3*len(want))
	}
}

// One system call takes at most 1,024 pieces; a connection may have more.
func TestReactor_Write_MoreRepliesThanOneCallTakes(t *testing.T) {
	for name, send := range map[string]func(q *SendQueue, h codec.Conn, i uint32){
		"what=replies": func(q *SendQueue, h codec.Conn, i uint32) { q.Send(h, numbered(i)) },
		"what=frames":  func(q *SendQueue, h codec.Conn, i uint32) { q.SendFrame(h, numberedBytes(i)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			client, handle := r.open()
			var want []byte
			for i := range uint32(3_000) {
				send(r.Queue(), handle, i)
				want = append(want, numberedBytes(i)...)
			}
			r.Queue().Close(handle, codec.CloseLogic)
			r.Queue().Flush()
			ends(t, client, want)
			r.closedFor(handle, codec.CloseLogic)
		})
	}
}

func TestReactor_Write_NothingFollowsTheLastReply(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	r.Queue().Send(handle, numbered(1))
	r.Queue().SendLast(handle, numbered(2))
	r.Queue().Send(handle, numbered(3))
	r.Queue().Flush()
	ends(t, client, append(numberedBytes(1), numberedBytes(2)...))
	r.closedFor(handle, codec.CloseLogic)
}

// A refusal reaches the client although the client keeps sending. Closing the socket over
// unread bytes would send a reset, which destroys the refusal.
func TestReactor_Write_LastReplySurvivesUnreadInput(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	resume := r.pause(0)
	defer resume()
	write(t, client, bytes.Repeat(frame("unread"), 3_000))
	r.Queue().SendLast(handle, numbered(9))
	r.Queue().Flush()
	resume()
	ends(t, client, numberedBytes(9))
}

// A peer that never reads is closed at SendBound; the others are not affected.
func TestReactor_Write_SlowReaderIsCutOff(t *testing.T) {
	r := newRig(t, func(o *Options) { o.SendBound = 64 << 10 })
	deaf, deafHandle := r.open()
	if err := deaf.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	other, otherHandle := r.open()
	chunk := bytes.Repeat([]byte{'x'}, 16<<10)
	sent, most := 0, 0
	for r.Stats().Closed[codec.CloseSlow] == 0 {
		if sent++; sent > 10_000 {
			t.Fatal("160 MiB went to a peer that does not read")
		}
		r.Queue().SendFrame(deafHandle, chunk)
		r.Queue().Send(otherHandle, numbered(uint32(sent)))
		r.Queue().Flush()
		says(t, other, numberedBytes(uint32(sent)))
		r.onReactor(0, func(re *reactor) {
			if c := re.table.get(deafHandle); c != nil {
				most = max(most, c.sock.OutboundBuffered())
			}
		})
	}
	r.closedFor(deafHandle, codec.CloseSlow)
	if most == 0 || most > 64<<10 {
		t.Errorf("up to %d bytes were kept for a slow reader, want 1 … %d", most, 64<<10)
	}
	r.works()
}

// The answer to a message may be on its way while the bytes after that message break the
// protocol. The answer to the violation is the last thing that is sent.
func TestReactor_Write_NothingFollowsTheWordAboutAViolation(t *testing.T) {
	bad := &codec.Violation{Result: codec.ResultBadCredentials}
	r := newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session {
			return &frames{onFrame: func(frame []byte) error {
				if string(frame) == "bad" {
					return bad
				}
				return nil
			}}
		}
	})
	conn, _ := r.open()
	// The logic runs on the reactor, as it does when its rounds are lent.
	r.sinks[0].watch(func(m *codec.Message) {
		if m.Kind == codec.KindWorldList {
			r.Queue().Send(m.Conn, numbered(1))
			r.Queue().Flush()
		}
	})
	if _, err := conn.Write(append(frame("good"), frame("bad")...)); err != nil {
		t.Fatal(err)
	}
	ends(t, conn, []byte("violation"))
	eventually(t, "the late reply is dropped and counted", func() bool { return r.Stats().DeadHandles == 1 })
}
