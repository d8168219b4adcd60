package server

import (
	"bytes"
	"slices"
	"testing"

	"gatepass/codec"
)

// However the stream is cut, the same messages come out, in order.
func TestReactor_Decode_AnyCutGivesTheSame(t *testing.T) {
	var stream []byte
	var want []string
	for _, text := range []string{"one", "a longer frame", "", "4", "the last one"} {
		stream = append(stream, frame(text)...)
		want = append(want, text)
	}
	for _, size := range []int{1, 2, 3, 7, len(stream)} {
		r := newRig(t, nil)
		client, handle := r.open()
		taken := 0
		for cut := range slices.Chunk(stream, size) {
			write(t, client, cut)
			taken += len(cut)
			r.buffers(handle, taken) // or the kernel would join the cuts again
		}
		r.hears(handle, want...)
		if st := r.settled(); uint64(st.Messages) != uint64(len(want)) || uint64(st.BytesIn) != uint64(len(stream)) {
			t.Errorf("%d messages and %d bytes counted, want %d and %d", st.Messages, st.BytesIn, len(want), len(stream))
		}
	}
}

// buffers waits until n bytes of a connection are decoded or lie in its ring.
func (r *rig) buffers(conn codec.Conn, n int) {
	r.t.Helper()
	eventually(r.t, "the bytes were read", func() (ok bool) {
		r.onReactor(conn.Reactor(), func(re *reactor) {
			ok = int(re.count.BytesIn.Load())+re.table.get(conn).sock.InboundBuffered() >= n
		})
		return ok
	})
}

// All that came in one piece is taken at once, not a message a wake-up.
func TestReactor_Decode_StickyPacketsAreAllTaken(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	resume := r.pause(0)
	defer resume()
	write(t, client, bytes.Repeat(frame("again"), 500))
	resume()
	eventually(t, "all messages arrived", func() bool { return len(r.sinks[0].of(codec.KindWorldList, handle)) == 500 })
}

func TestReactor_Traffic_PendingBeyondBoundIsAFlood(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session {
			return &frames{onFrame: func([]byte) error { return codec.ErrShort }} // never content
		}
	})
	client, handle := r.open()
	write(t, client, make([]byte, MaxPending))
	r.buffers(handle, MaxPending) // up to the bound it may stay
	write(t, client, []byte{0})
	gone(t, client)
	r.closedFor(handle, codec.CloseFlood)
}

// The answer to a violation arrives although more lies unread behind it: there,
// closing would be a reset that takes the answer with it.
func TestReactor_Violated_AnswerArrivesOverUnreadInput(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"answered":  {&codec.Violation{Message: 1, Result: codec.ResultBusy}, "violation"},
		"wordless":  {&codec.Violation{Message: 1}, ""},
		"no reason": {errWrong, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) {
				o.Listeners[0].Protocol = func() Session {
					return &frames{onFrame: func(f []byte) error {
						if string(f) == "wrong" {
							return c.err
						}
						return nil
					}}
				}
			})
			client, handle := r.open()
			resume := r.pause(0)
			defer resume()
			// More than one read takes, so that some is still in the kernel.
			write(t, client, slices.Concat(frame("right"), frame("wrong"), make([]byte, 5*DefaultReadBuffer)))
			resume()
			if c.want == "" {
				gone(t, client)
			} else {
				ends(t, client, []byte(c.want))
			}
			r.hears(handle, "right")
			r.closedFor(handle, codec.CloseViolation)
		})
	}
}

// errWrong is an error of a codec that says nothing about the peer.
var errWrong = bytes.ErrTooLarge

// Connections that never say a word hinder nobody, and end when the logic says.
func TestServer_HalfOpenFlood_OthersAreServed(t *testing.T) {
	const silent = 2_000
	r := newRig(t, func(o *Options) { o.Reactors = 2 })
	clients, handles := r.openMany(silent)
	for range 3 {
		r.works()
	}
	for _, h := range handles { // their deadline has passed
		r.Queue().Close(h, codec.CloseLogic)
	}
	r.Queue().Flush()
	for _, c := range clients {
		ends(t, c, nil)
	}
	for _, h := range handles {
		r.closedFor(h, codec.CloseLogic)
	}
	if st := r.settled(); st.Conns != 0 || st.Closed[codec.CloseLogic] != silent || st.Messages != 3 {
		t.Errorf("%d open, %d closed, %d messages", st.Conns, st.Closed[codec.CloseLogic], st.Messages)
	}
}

// Bytes that a codec can read only once something was said, a key perhaps, are
// read then, and not with whatever comes next.
func TestReactor_Decode_GoesOnBehindAReply(t *testing.T) {
	said := false
	r := newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session {
			return &frames{
				onFrame: func(f []byte) error {
					if string(f) == "early" && !said {
						return codec.ErrShort
					}
					return nil
				},
				onReply: func(*codec.Reply) error { said = true; return nil },
			}
		}
	})
	client, handle := r.open()
	stream := slices.Concat(frame("first"), frame("early"), frame("last"))
	write(t, client, stream)
	r.hears(handle, "first")
	r.buffers(handle, len(stream))
	r.Queue().Send(handle, numbered(1))
	r.Queue().Flush()
	says(t, client, numberedBytes(1))
	r.hears(handle, "first", "early", "last")
}
