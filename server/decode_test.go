package server

import (
	"bytes"
	"slices"
	"testing"

	"gatepass/codec"
)

// However the stream is cut into packets, the same messages are decoded in order.
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
			r.buffers(handle, taken) // otherwise the kernel would join the parts again
		}
		r.hears(handle, want...)
		if st := r.settled(); uint64(st.Messages) != uint64(len(want)) || uint64(st.BytesIn) != uint64(len(stream)) {
			t.Errorf("%d messages and %d bytes counted, want %d and %d", st.Messages, st.BytesIn, len(want), len(stream))
		}
	}
}

// buffers waits until n bytes of a connection are decoded or in its ring buffer.
func (r *rig) buffers(conn codec.Conn, n int) {
	r.t.Helper()
	eventually(r.t, "the bytes were read", func() (ok bool) {
		r.onReactor(conn.Reactor(), func(re *reactor) {
			ok = int(re.count.BytesIn.Load())+re.table.get(conn).sock.InboundBuffered() >= n
		})
		return ok
	})
}

// All messages that arrive together are decoded at once, not one for each wake-up.
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
			return &frames{onFrame: func([]byte) error { return codec.ErrShort }} // no message
		}
	})
	client, handle := r.open()
	write(t, client, make([]byte, MaxPending))
	r.buffers(handle, MaxPending) // up to this limit the connection stays open
	write(t, client, []byte{0})
	gone(t, client)
	r.closedFor(handle, codec.CloseFlood)
}

// The answer to a violation arrives although unread bytes follow it. Closing the socket over
// these would send a reset, which destroys the answer.
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
			// More than one read takes, so that some bytes are still in the kernel.
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

// errWrong is a codec error that is not a violation.
var errWrong = bytes.ErrTooLarge

// Connections that never send anything do not delay others, and end when the logic closes
// them.
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

// Some bytes can be decoded only after a reply was sent, for example a key. They are decoded
// then, not when the next bytes arrive.
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
