package server

import (
	"errors"
	"net"
	"testing"

	"gatepass/codec"
)

// A panic on a reactor closes only the connection that caused it. The panic is counted, and
// the other connections are served.

func TestReactor_Fault_PanicInDecode(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session {
			return &frames{onFrame: func(f []byte) error {
				if string(f) == "bug" {
					panic("a bug in a codec")
				}
				return nil
			}}
		}
	})
	bystander, other := r.open()
	client, handle := r.open()
	write(t, client, append(frame("fine"), frame("bug")...))
	gone(t, client)
	r.hears(handle, "fine")
	r.closedFor(handle, codec.CloseFault)
	write(t, bystander, frame("hello"))
	r.hears(other, "hello")
	r.panicked(1)
	r.works()
}

func TestReactor_Fault_PanicAndErrorInAppend(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session {
			return &frames{onReply: func(reply *codec.Reply) error {
				switch reply.AccountFlags {
				case 13:
					panic("a bug in a codec")
				case 14:
					return errors.New("no bytes for this")
				}
				return nil
			}}
		}
	})
	bystander, other := r.open()
	for _, bad := range []uint32{13, 14} {
		client, handle := r.open()
		r.Queue().Send(handle, numbered(1))
		r.Queue().Send(handle, numbered(bad))
		r.Queue().Send(handle, numbered(3))
		r.Queue().Send(other, numbered(bad+100)) // in the same batch
		r.Queue().Flush()
		ends(t, client, numberedBytes(1)) // what came before the fault, and nothing after it
		r.closedFor(handle, codec.CloseFault)
		says(t, bystander, numberedBytes(bad+100))
	}
	r.panicked(1)
	if n := r.Stats().EncodeErrors; n != 1 {
		t.Errorf("%d encode errors counted, want 1", n)
	}
	r.works()
}

// A connection that fails while it opens leaves nothing behind: at the cap, the next one is
// accepted.
func TestReactor_Fault_PanicWhileOpening(t *testing.T) {
	bugs := map[string]func(o *Options, panics *bool){
		"where=protocol": func(o *Options, panics *bool) {
			o.Listeners[0].Protocol = func() Session {
				if *panics {
					panic("a bug in a protocol")
				}
				return &frames{}
			}
		},
		"where=sink": func(o *Options, panics *bool) {
			sink := o.Sink
			o.Sink = func(i int) Sink {
				s := sink(i)
				s.(*inbox).onTake = func(m *codec.Message) {
					if *panics && m.Kind == codec.KindOpened {
						panic("a bug in a sink")
					}
				}
				return s
			}
		},
	}
	for name, plant := range bugs {
		t.Run(name, func(t *testing.T) {
			panics := false
			r := newRig(t, func(o *Options) { o.MaxConns = 2; plant(o, &panics) })
			bystander, other := r.open()
			r.onReactor(0, func(*reactor) { panics = true })
			for range 4 {
				gone(t, r.dial())
			}
			r.onReactor(0, func(*reactor) { panics = false })
			r.panicked(4)
			if n := r.Conns(); n != 1 {
				t.Fatalf("%d connections counted, want 1", n)
			}
			r.onReactor(0, func(re *reactor) {
				if re.table.live != 1 {
					t.Errorf("%d slots taken, want 1", re.table.live)
				}
			})
			write(t, bystander, frame("hello"))
			r.hears(other, "hello")
			r.works()
		})
	}
}

// The sink's Deliver may panic in a callback of gnet (a message, an end) and in a task of the
// server (owed messages).
func TestReactor_Fault_PanicInDeliver(t *testing.T) {
	for _, kind := range []codec.Kind{codec.KindWorldList, codec.KindClosed} {
		for _, owed := range []bool{false, true} {
			t.Run("kind="+kind.String()+map[bool]string{true: ",owed"}[owed], func(t *testing.T) {
				panics := false
				r := newRig(t, nil)
				r.sinks[0].watch(func(m *codec.Message) {
					if panics && m.Kind == kind {
						panics = false
						panic("a bug in a sink")
					}
				})
				client, handle := r.open()
				bystander, other := r.open()
				if owed {
					r.sinks[0].setRoom(0)
				} else {
					r.onReactor(0, func(*reactor) { panics = true })
				}
				write(t, client, frame("x"))
				if kind == codec.KindClosed {
					_ = client.CloseWrite()
				}
				if owed {
					eventually(t, "it is owed", func() bool { return r.Stats().Stalls > 0 })
					r.onReactor(0, func(*reactor) { panics = true })
					r.sinks[0].setRoom(-1)
					r.Resume(0)
				}
				gone(t, client)
				eventually(t, "the connection is gone", func() bool { return r.Conns() == 1 })
				r.panicked(1)
				if kind == codec.KindWorldList {
					r.closedFor(handle, codec.CloseFault)
				}
				write(t, bystander, frame("hello"))
				r.hears(other, "hello")
				r.works()
			})
		}
	}
}

// A violation is not an error of the server when the peer is gone before the answer.
func TestReactor_Violated_PeerIsGoneAlready(t *testing.T) {
	var client *net.TCPConn
	r := newRig(t, func(o *Options) {
		o.Listeners[0].Protocol = func() Session {
			return &frames{onFrame: func(f []byte) error {
				if string(f) != "wrong" {
					return nil
				}
				_ = client.SetLinger(0) // the close sends a reset, so that the write fails
				_ = client.Close()
				return &codec.Violation{Message: 1, Result: codec.ResultBusy}
			}}
		}
	})
	c, handle := r.open()
	r.onReactor(0, func(*reactor) { client = c })
	write(t, c, frame("wrong"))
	r.closedFor(handle, codec.CloseViolation)
	r.works()
	r.panicked(0)
}

func (r *rig) panicked(want uint64) {
	r.t.Helper()
	eventually(r.t, "the panics are counted", func() bool { return uint64(r.Stats().Panics) >= want })
	if n := uint64(r.settled().Panics); n != want {
		r.t.Fatalf("%d panics counted, want %d", n, want)
	}
}
