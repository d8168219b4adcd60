package logic

import (
	"strings"
	"testing"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

func TestLoop_PanicCostsOneSession(t *testing.T) {
	e := newScenario(t)
	e.core.signals.slots[SignalRefused] = []slot{func(*signals, Signal) { panic("a bug") }}
	inbox := NewInbox(1, 64, false, func(int) {})
	loop := NewLoop(e.core, inbox, func() {})
	go loop.Run()
	sink := inbox.Client(0)
	conn := codec.NewConn(0, 1, 1)
	for _, m := range []codec.Message{
		{Kind: codec.KindOpened, Conn: conn},
		{Kind: codec.KindWorldList, Conn: conn}, // refused, and so into the bug
	} {
		if !sink.Deliver(&m) {
			t.Fatal("no room")
		}
	}
	inbox.Stored([]storage.Result{{Kind: storage.OpAddressBans}})
	inbox.Proved([]auth.Result{{Kind: auth.JobProve, Tag: 77}})
	for inbox.Stats().Clients[0].Taken < 2 {
		time.Sleep(time.Millisecond)
	}
	inbox.Command(Command{Kind: CommandClose})
	<-loop.Done()
	if st := e.core.Stats(); st.Panics != 1 || st.InState[StateLeaving] != 1 {
		t.Fatalf("panics = %d, leaving = %d, want 1 and 1", st.Panics, st.InState[StateLeaving])
	}
}

// A session that cannot even be cleaned up costs its connection, and nobody else's.
func TestLoop_APanicInTheCleanUpCostsOneConnection(t *testing.T) {
	e := newScenario(t)
	inbox := NewInbox(1, 64, false, func(int) {})
	loop := NewLoop(e.core, inbox, func() {})
	conn, other := codec.NewConn(0, 1, 1), codec.NewConn(0, 2, 1)
	for _, c := range []codec.Conn{conn, other} {
		loop.client(&codec.Message{Kind: codec.KindOpened, Conn: c})
	}
	s := e.core.sessions.get(conn)
	s.state, s.attempt = StateReclaiming, nil // leaving that state panics
	e.out.Reset()
	loop.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
	loop.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
	if n := e.core.Stats().Panics; n != 2 {
		t.Errorf("%d panics, want that and the one of the clean-up", n)
	}
	if e.core.sessions.get(conn) != nil || !strings.Contains(e.out.String(), "→ 1: close") {
		t.Errorf("the connection stays: %s", e.out.String())
	}
	if e.core.sessions.get(other) == nil || e.core.sessions.live != 1 {
		t.Errorf("%d sessions are left", e.core.sessions.live)
	}
}
