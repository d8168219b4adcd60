package server

import (
	"fmt"
	"slices"
	"testing"

	"gatepass/codec"
)

// A sink without room stalls connections. Once there is room again, every message arrives once
// and in its connection's order, including the ends of connections that closed meanwhile.
func TestServer_Resume_NothingIsLostDoubledOrReordered(t *testing.T) {
	const clients, each = 20, 60
	r := newRig(t, nil)
	conns, handles := r.openMany(clients)
	in := r.sinks[0]
	in.setRoom(0)
	for i := range each {
		for _, c := range conns {
			write(t, c, frame(fmt.Sprint(i)))
		}
	}
	eventually(t, "all connections are stalled", func() bool { return r.Stats().Stalls == clients })
	for c := range conns[:clients/2] {
		_ = conns[c].Close()
	}
	eventually(t, "half of the connections are closed", func() bool { return r.Conns() == clients/2 })
	if n := len(in.of(codec.KindWorldList, 0)); n != 0 {
		t.Fatalf("%d messages got past a full sink", n)
	}
	for room := 1; len(in.of(codec.KindWorldList, 0)) < clients/2+clients/2*each; room++ {
		in.setRoom(room % 7) // a few at a time, sometimes none
		r.Resume(0)
		r.onReactor(0, func(*reactor) {})
	}
	in.setRoom(-1)
	r.Resume(0)
	r.onReactor(0, func(re *reactor) {
		if len(re.owed) != 0 {
			t.Errorf("%d messages still owed", len(re.owed))
		}
	})
	for c, h := range handles {
		want := each
		if c < clients/2 {
			want = 1 // the decoded message; the rest went with the connection
			r.closedFor(h, codec.ClosePeer)
		}
		got := texts(in.of(codec.KindWorldList, h))
		if len(got) != want || !slices.IsSortedFunc(got, byNumber) {
			t.Errorf("connection %d: %q, want %d in order", c, got, want)
		}
	}
	checkEndsAreLast(t, in)
	for _, c := range conns[clients/2:] { // the others continue
		write(t, c, frame("more"))
	}
	eventually(t, "new messages arrive", func() bool {
		return len(in.of(codec.KindWorldList, 0)) == clients/2+clients/2*(each+1)
	})
}

// byNumber orders strictly: a doubled message is out of order.
func byNumber(a, b string) int {
	if len(a) < len(b) || len(a) == len(b) && a < b {
		return -1
	}
	return 1
}

func checkEndsAreLast(t *testing.T, in *inbox) {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	ended := map[codec.Conn]bool{}
	for _, m := range in.got {
		if ended[m.Conn] {
			t.Fatalf("%v of %v after its end", m.Kind, m.Conn)
		}
		ended[m.Conn] = m.Kind == codec.KindClosed
	}
}

// A violation, a flood or a panic that follows the stalled message is handled when the
// connection continues.
func TestServer_Resume_MeetsWhatLayBehind(t *testing.T) {
	for name, c := range map[string]struct {
		bad  func() error
		want codec.CloseReason
	}{
		"violation": {func() error { return &codec.Violation{Message: 1, Result: codec.ResultBusy} }, codec.CloseViolation},
		"panic":     {func() error { panic("a bug in a codec") }, codec.CloseFault},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) {
				o.Listeners[0].Protocol = func() Session {
					return &frames{onFrame: func(f []byte) error {
						if string(f) == "bad" {
							return c.bad()
						}
						return nil
					}}
				}
			})
			client, handle := r.open()
			r.sinks[0].setRoom(0)
			write(t, client, append(frame("good"), frame("bad")...))
			eventually(t, "the connection is stalled", func() bool { return r.Stats().Stalls == 1 })
			r.sinks[0].setRoom(-1)
			r.Resume(0)
			gone(t, client)
			r.hears(handle, "good")
			r.closedFor(handle, c.want)
			r.works()
		})
	}
}

// Replies to a stalled connection reach it.
func TestServer_Resume_StalledConnectionsAreWrittenTo(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	r.sinks[0].setRoom(0)
	write(t, client, frame("stalls"))
	eventually(t, "the connection is stalled", func() bool { return r.Stats().Stalls == 1 })
	r.Queue().Send(handle, numbered(1))
	r.Queue().Flush()
	says(t, client, numberedBytes(1))
	r.sinks[0].setRoom(-1)
	r.Resume(0)
	r.hears(handle, "stalls")
}

// A client that keeps sending while it is stalled is closed at MaxPending.
func TestReactor_Traffic_StalledFloodIsCutOff(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	r.sinks[0].setRoom(0)
	write(t, client, make([]byte, MaxPending+2)) // the first of these empty frames stalls
	gone(t, client)
	r.sinks[0].setRoom(-1)
	r.Resume(0)
	r.closedFor(handle, codec.CloseFlood)
	if n := len(r.sinks[0].of(codec.KindWorldList, handle)); n != 1 {
		t.Errorf("%d messages, want the one that stalled", n)
	}
}

// Any goroutine may call Resume at any time, also for a reactor that has nothing to resume or
// never had a connection.
func TestServer_Resume_FromAnywhereAtAnyTime(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Reactors = 4 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			for i := range 4 {
				r.Resume(i)
			}
		}
	}()
	for range 20 {
		r.works()
	}
	<-done
}

func TestSink_Offer_FalseRefusesTheConnection(t *testing.T) {
	r := newRig(t, nil)
	in := r.sinks[0]
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	for range 3 {
		ends(t, r.dial(), nil)
	}
	if st := r.settled(); st.RefusedOverload != 3 || st.Accepted != 0 || st.Conns != 0 {
		t.Fatalf("refused %d, accepted %d, open %d, want 3, 0 and 0", st.RefusedOverload, st.Accepted, st.Conns)
	}
	in.mu.Lock()
	in.closed = false
	in.mu.Unlock()
	r.works()
	if n := len(in.of(codec.KindClosed, 0)); n != 1 {
		t.Errorf("%d ends delivered: a connection that was refused has none", n)
	}
}
