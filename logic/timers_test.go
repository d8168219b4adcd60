package logic

import (
	"strings"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// A wall clock that is set, to whenever, neither keeps deadlines from coming nor makes
// them come.
func TestCore_DeadlinesDoNotCareForTheWallClock(t *testing.T) {
	e := newScenario(t)
	conn := codec.NewConn(0, 1, 1)
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
	end := e.now.Add(DefaultConnectedLimit)
	walls := []int64{0, e.now.UnixMilli(), -1 << 40, 1 << 45, e.now.Add(-72 * time.Hour).UnixMilli()}
	for i := 0; e.now.Before(end); i++ {
		if s := e.core.sessions.get(conn); s.state != StateConnected {
			t.Fatalf("the session is %v %v before its limit", s.state, end.Sub(e.now))
		}
		e.now = e.now.Add(TickEvery)
		e.core.Step(FromClock(e.now.UnixMilli(), walls[i%len(walls)]))
	}
	if s := e.core.sessions.get(conn); s.state != StateLeaving {
		t.Fatalf("the session is %v after its limit", s.state)
	}
}

// After the process has stood still, what came in time may wait behind the tick: nobody
// is ended by that tick, and whoever speaks before the next one stays.
func TestCore_ALateTickEndsNobody(t *testing.T) {
	e := newScenario(t)
	spoke, silent := codec.NewConn(0, 1, 1), codec.NewConn(0, 2, 1)
	for _, conn := range []codec.Conn{spoke, silent} {
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
	}
	now := e.now.Add(time.Hour).UnixMilli()
	e.core.Step(FromClock(now, now))
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindLogonChallenge, Conn: spoke, Hello: codec.Hello{Name: codec.Name{'A'}, Build: 5875}}))
	e.core.Step(FromClock(now+PaceEvery.Milliseconds(), now))
	if s := e.core.sessions.get(spoke); s.state != StateLookingUp {
		t.Errorf("who spoke in time is %v", s.state)
	}
	if s := e.core.sessions.get(silent); s.state != StateLeaving {
		t.Errorf("who did not is %v", s.state)
	}
}

// Sessions that come due together are ended a few with each tick, in the order in which
// they came due, and the ticks come faster meanwhile.
func TestCore_EndsAFewSessionsATick(t *testing.T) {
	e := newScenario(t)
	const count = 5000
	for i := range count {
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: codec.NewConn(0, i+1, 1)}))
	}
	e.core.publish()
	if e.core.Pace() != TickEvery {
		t.Fatal("nothing is due yet")
	}
	leaving := func() int { return int(e.core.Stats().InState[StateLeaving]) }
	now, ticks := e.now.UnixMilli(), 0
	for due := now + DefaultConnectedLimit.Milliseconds(); leaving() < count; ticks++ {
		before := leaving()
		if now += TickEvery.Milliseconds(); now >= due && e.core.timers.waiting() > 0 {
			now += PaceEvery.Milliseconds() - TickEvery.Milliseconds()
		}
		e.core.Step(FromClock(now, now))
		e.core.publish()
		if n := leaving() - before; n > overdueMost {
			t.Fatalf("%d were ended in one tick", n)
		}
		if more := e.core.timers.waiting() > 0; more != (e.core.Pace() == PaceEvery) {
			t.Fatalf("%d are due, and the next tick comes in %v", e.core.timers.waiting(), e.core.Pace())
		}
	}
	if late := now - e.now.UnixMilli() - DefaultConnectedLimit.Milliseconds(); late > 1000 {
		t.Errorf("the last was ended %d ms late", late)
	}
}

// The reactor is told again and again to close a connection until it says that it has.
func TestCore_ClosesUntilItIsClosed(t *testing.T) {
	e := newScenario(t)
	conn := codec.NewConn(0, 1, 1)
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
	e.core.end(e.core.sessions.get(conn), endIdle)
	now := e.now.UnixMilli()
	for times := 1; times <= 4; times++ {
		if n := strings.Count(e.out.String(), "→ 1: close"); n != times {
			t.Fatalf("it was told %d times to close, want %d:\n%s", n, times, e.out.String())
		}
		for end := now + leavingLimit.Milliseconds() + 2*TickEvery.Milliseconds(); now < end; {
			now += TickEvery.Milliseconds()
			e.core.Step(FromClock(now, now))
		}
	}
}

// Who has gone while waiting to be ended, and who has come since in the same place, is
// left alone.
func TestCore_EndsNobodyInThePlaceOfAnother(t *testing.T) {
	e := newScenario(t)
	count := 2 * overdueLeast
	for i := range count {
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: codec.NewConn(0, i+1, 1)}))
	}
	now := e.now.Add(DefaultConnectedLimit).UnixMilli()
	e.core.Step(FromClock(now, now)) // late: ends nobody
	if e.core.timers.waiting() != count {
		t.Fatalf("%d of %d are due", e.core.timers.waiting(), count)
	}
	for i := range count {
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindClosed, Conn: codec.NewConn(0, i+1, 1)}))
		if i%2 == 0 {
			e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: codec.NewConn(0, i+1, 2)}))
		}
	}
	for e.core.timers.waiting() > 0 {
		now += PaceEvery.Milliseconds()
		e.core.Step(FromClock(now, now))
	}
	if st := e.core.Stats(); st.InState[StateConnected] != int64(count/2) || st.InState[StateLeaving] != 0 {
		t.Errorf("%d are connected and %d leave, want %d and none", st.InState[StateConnected], st.InState[StateLeaving], count/2)
	}
}

// An entry of the grace is a hint: the key may be gone when it comes up, or have got
// another end.
func TestCore_GraceOfAKeyThatIsGoneOrHeldAgain(t *testing.T) {
	e := newScenario(t)
	hold := func(slot int, name storage.Name) *session {
		conn := codec.NewConn(0, slot, 1)
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
		s := e.core.sessions.get(conn)
		s.name = name
		key := worlds.NewSecret(e.key[:])
		e.core.hold(login{s.name, s.conn, &key, 1, worlds.AnnounceFresh})
		return s
	}
	gone, again := storage.Name{'G'}, storage.Name{'A'}
	e.core.remove(hold(1, gone))
	e.core.remove(hold(2, again))
	e.core.operator.endLogins(gone, endCommand)
	hold(3, again)
	for range 2*int(e.options.ReconnectGrace/TickEvery) + 1 {
		e.now = e.now.Add(TickEvery)
		e.core.Step(FromClock(e.now.UnixMilli(), e.now.UnixMilli()))
	}
	if e.core.keys.usable(gone) != nil || e.core.keys.usable(again) == nil {
		t.Error("the key that is gone is back, or the one that is held has gone")
	}
}
