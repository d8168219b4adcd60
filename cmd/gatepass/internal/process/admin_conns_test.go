package process

import (
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
)

// seat is a connection of which a test wants to know whether it was closed.
type seat struct {
	net.Conn
	closed bool
}

func (s *seat) Close() error { s.closed = true; return nil }

func TestAdminSeats(t *testing.T) {
	s := newAdminSeats(3)
	seats := make([]*seat, 6)
	for i := range seats {
		seats[i] = new(seat)
	}
	note := func(i int, state http.ConnState) { s.note(seats[i], state) }
	closed := func(want ...bool) {
		t.Helper()
		for i := range want {
			if seats[i].closed != want[i] {
				t.Errorf("seat %d closed: %v, want %v", i, seats[i].closed, want[i])
			}
		}
	}
	note(0, http.StateNew)
	note(0, http.StateActive)
	note(1, http.StateNew)
	note(2, http.StateNew)
	closed(false, false, false)
	note(3, http.StateNew) // 1 has rested longest; 0 is being answered
	closed(false, true, false)
	note(1, http.StateClosed)
	note(2, http.StateActive)
	note(3, http.StateActive)
	note(4, http.StateNew) // all are being answered
	closed(false, true, false, false, true)
	note(4, http.StateClosed)
	note(0, http.StateClosed)
	note(5, http.StateNew)
	closed(false, true, false, false, true, false)
}

func TestAdmin_ProfilesAreBounded(t *testing.T) {
	h := boundedProfile(func(http.ResponseWriter, *http.Request) {})
	for query, want := range map[string]int{
		"": 200, "seconds=30": 200, "seconds=600": 200, "seconds=601": 400, "seconds=1e99": 400, "seconds=NaN": 400, "seconds=Inf": 400,
	} {
		w := httptest.NewRecorder()
		h(w, httptest.NewRequest("GET", "/debug/pprof/heap?"+query, nil))
		if w.Code != want {
			t.Errorf("%q: %d, want %d", query, w.Code, want)
		}
	}
}

// failingListener fails with EMFILE until so many descriptors were given up for it.
type failingListener struct {
	net.Listener
	spare *spareListener
	need  int
}

func (l *failingListener) Accept() (net.Conn, error) {
	if len(l.spare.spare) > l.need {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return new(seat), nil
}

func (*failingListener) Close() error { return nil }

func TestSpareListener_GivesDescriptorsUp(t *testing.T) {
	l := &failingListener{need: adminSpare - 2}
	l.spare = newSpareListener(l)
	defer l.spare.Close()
	if _, err := l.spare.Accept(); err != nil {
		t.Fatal(err)
	}
	if n := len(l.spare.spare); n != adminSpare-2 {
		t.Errorf("%d descriptors are left, want %d", n, adminSpare-2)
	}
	l.need = -1 // never enough
	if _, err := l.spare.Accept(); !noDescriptor(err) {
		t.Errorf("got %v", err)
	}
	if err := l.spare.Close(); err != nil || len(l.spare.spare) != 0 {
		t.Errorf("closed: %v, %d descriptors are left", err, len(l.spare.spare))
	}
}
