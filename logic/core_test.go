package logic

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

func TestCore_SignalLoopIsCutAndReported(t *testing.T) {
	e := newScenario(t)
	calls := 0
	e.core.signals.slots[SignalKicked] = []slot{func(p *signals, sig Signal) {
		calls++
		p.raise(Signal{Kind: SignalReconnected, session: sig.session})
	}}
	e.core.signals.slots[SignalReconnected] = []slot{func(p *signals, sig Signal) {
		p.raise(Signal{Kind: SignalKicked, session: sig.session})
	}}
	e.core.signals.raise(Signal{Kind: SignalKicked, session: &session{}})
	if calls != 1 || e.core.Stats().SignalLoops != 1 {
		t.Fatalf("the slot ran %d times and %d loops were counted, want 1 and 1", calls, e.core.Stats().SignalLoops)
	}
	if !strings.Contains(e.out.String(), "signal loop cut") {
		t.Fatal("the loop was not reported")
	}
	e.core.signals.raise(Signal{Kind: SignalKicked, session: &session{}})
	if calls != 2 {
		t.Fatal("the signal is dead after a loop was cut")
	}
}

func TestCore_SlotsRunInDeclaredOrder(t *testing.T) {
	e := newScenario(t)
	var order []int
	for i := range 3 {
		e.core.signals.slots[SignalKicked] = append(e.core.signals.slots[SignalKicked][:i:i], func(*signals, Signal) { order = append(order, i) })
	}
	e.core.signals.raise(Signal{Kind: SignalKicked})
	if len(order) != 3 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
		t.Fatalf("order = %v", order)
	}
}

func TestCore_EventsRaisedMeanwhileGoToTheEnd(t *testing.T) {
	e := newScenario(t)
	c := e.core
	first, second := codec.NewConn(0, 1, 1), codec.NewConn(0, 2, 1)
	for _, conn := range []codec.Conn{first, second} {
		c.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
		c.sessions.get(conn).build = 5875
		c.rules.raise(EventHello, c.sessions.get(conn))
	}
	c.rules.run()
	if len(c.rules.events) != 0 || c.sessions.get(first).state != StateLookingUp || c.sessions.get(second).state != StateLookingUp {
		t.Fatal("not all events were processed")
	}
	if c.effects.ops[0].Tag != uint64(first) || c.effects.ops[1].Tag != uint64(second) {
		t.Fatal("events were processed out of order")
	}
}

func TestCore_BecomePanicsOnATransitionThatIsNotInTheTable(t *testing.T) {
	e := newScenario(t)
	conn := codec.NewConn(0, 1, 1)
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
	defer func() {
		if recover() == nil {
			t.Fatal("no panic")
		}
	}()
	e.core.become(e.core.sessions.get(conn), StateChoosing)
}

func TestState_EveryStateHasALimitAndAName(t *testing.T) {
	o := Options{}
	o.EnsureDefaults()
	for id := range StateCount {
		if states[id].Limit(&o) <= 0 {
			t.Errorf("%v has no limit", id)
		}
		if strings.HasPrefix(id.String(), "state(") {
			t.Errorf("state %d has no name", id)
		}
	}
}

func TestOptions_ValidateReportsAllFaults(t *testing.T) {
	o := Options{UpdatesAtOnce: -1, ReconnectGrace: -1, FactorDecoys: 101, ConnectedLimit: 1, ProvingLimit: 1, WorkLimit: 1, ChoosingLimit: 1}
	err := o.Validate()
	for _, want := range []string{"versions", "updates at once", "secret", "reconnect-grace", "factor-decoys", "connected", "proving", "work", "choosing", "logger"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

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

// The hot path allocates nothing: a list request, a deadline moved, a tick.
func TestCore_SteadyStateAllocatesNothing(t *testing.T) {
	e := newScenario(t)
	e.options.Logger = slog.New(slog.DiscardHandler)
	core, err := NewCore(e.options, Ports{Out: quiet{}, Store: quietStore{}, Prover: quietProver{}, Worlds: worlds.NewList(worlds.EncodeGrunt)})
	if err != nil {
		t.Fatal(err)
	}
	now := int64(1_700_000_000_000)
	core.Step(FromClock(now, now))
	conn := codec.NewConn(0, 1, 1)
	mint := auth.Result{Kind: auth.JobMint}
	opened := codec.Message{Kind: codec.KindOpened, Conn: conn}
	hello := codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: codec.Hello{Name: codec.Name{'A'}, Build: 5875}}
	account := storage.Result{Kind: storage.OpGet, Tag: uint64(conn), Account: &storage.Account{Grunt: storage.GruntVerifier{Set: true}}}
	proof := codec.Message{Kind: codec.KindLogonProof, Conn: conn}
	right := auth.Result{Kind: auth.JobProve, Tag: uint64(conn)}
	list := codec.Message{Kind: codec.KindWorldList, Conn: conn}
	closed := codec.Message{Kind: codec.KindClosed, Conn: conn}
	login := func() {
		now += 100
		core.Step(FromClock(now, now))
		core.Step(FromPool(&mint))
		core.Step(FromClient(&opened))
		core.Step(FromClient(&hello))
		core.Step(FromStore(&account))
		core.Step(FromClient(&proof))
		core.Step(FromPool(&right))
		core.Step(FromClient(&list))
		core.Flush()
		core.Step(FromClient(&closed))
		core.Flush()
	}
	for range 20 * 1024 {
		login()
	}
	if n := testing.AllocsPerRun(200, login); n != 0 {
		t.Fatalf("%v allocations a login, want 0", n)
	}
}

// quiet is neighbours that take everything and say nothing.
type quiet struct{}

func (quiet) Send(codec.Conn, *codec.Reply) bool       { return true }
func (quiet) SendLast(codec.Conn, *codec.Reply) bool   { return true }
func (quiet) SendFrame(codec.Conn, []byte) bool        { return true }
func (quiet) Close(codec.Conn, codec.CloseReason) bool { return true }

func (quiet) StartTransfer(codec.Conn, *codec.Transfer) bool { return true }

func (quiet) Flush()                              {}
func (quiet) Broadcast([]codec.Conn, []byte) bool { return true }

type quietStore struct{}

func (quietStore) Submit(ops []storage.Op) int { return len(ops) }

type quietProver struct{}

func (quietProver) Submit(jobs []auth.Job) int { return len(jobs) }

// A message out of place, in the same round in which a pool has no room for what
// the session asked of it, refuses the session once.
func TestCore_FullPoolMeetsASessionThatIsLeavingAlready(t *testing.T) {
	e := newScenario(t)
	for slot, step := range []func(conn codec.Conn){
		func(conn codec.Conn) { // looking up
			e.core.Step(FromClient(&codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: codec.Hello{Name: codec.Name{'A'}, Build: 5875}}))
		},
		func(conn codec.Conn) { // verifying
			e.core.Step(FromClient(&codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: codec.Hello{Name: codec.Name{'B'}, Build: 5875}}))
			e.core.Step(FromStore(&storage.Result{Kind: storage.OpGet, Tag: uint64(conn), Account: &storage.Account{Grunt: storage.GruntVerifier{Set: true}}}))
			e.core.Step(FromClient(&codec.Message{Kind: codec.KindLogonProof, Conn: conn}))
		},
	} {
		e.storeOff, e.proveOff = true, true
		conn := codec.NewConn(0, slot, 1)
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
		step(conn)
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindWorldList, Conn: conn}))
		e.core.Flush()
		if s := e.core.sessions.get(conn); s.state != StateLeaving {
			t.Errorf("slot %d is %v, want leaving", slot, s.state)
		}
	}
	if len(e.core.effects.jobs) != 0 || len(e.core.effects.ops) != 0 {
		t.Error("what was refused is still gathered")
	}
}

// A connection that opens in a slot whose last end never came ends the old
// session, key and all.
func TestCore_OpenedInATakenSlotEndsTheOldSession(t *testing.T) {
	e := newScenario(t)
	old, young := codec.NewConn(0, 3, 1), codec.NewConn(0, 3, 2)
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: old}))
	s := e.core.sessions.get(old)
	s.name = storage.Name{'A'}
	secret := worlds.NewSecret(e.key[:])
	h, _ := e.core.keys.passes.Hold(codec.Name(s.name), 1, &secret)
	h.Owner.holder = old
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: young}))
	if e.core.sessions.get(old) != nil || e.core.sessions.live != 1 || e.core.Stats().InState[StateConnected] != 1 {
		t.Fatalf("the old session is still there; %d live", e.core.sessions.live)
	}
	if h := e.core.keys.usable(storage.Name{'A'}); h == nil || h.Owner.holder != 0 {
		t.Fatal("the old session's key is not in its grace")
	}
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindClosed, Conn: old}))
	if e.core.sessions.get(young) == nil {
		t.Fatal("the late end of the old connection ended the new one")
	}
}

// Bans that are damaged are named once and keep the others from nobody; a reading that
// fails leaves the bans of before.
func TestCore_AddressBansThatAreDamaged(t *testing.T) {
	e := newScenario(t)
	c := e.core
	var log bytes.Buffer
	c.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if c.Stats().BansLoaded {
		t.Error("the bans count as read before they are")
	}
	banned, now := netip.MustParseAddr("203.0.113.7"), int64(0)
	answer := &storage.Result{Kind: storage.OpAddressBans, Damaged: []string{"10.0.0.0/8: corrupt"}, AddressBans: []storage.AddressBan{
		{Prefix: netip.MustParsePrefix("203.0.113.0/24"), Ban: storage.Ban{Set: true}},
	}}
	for range 3 {
		c.Step(FromStore(answer))
		c.bans.load()
	}
	if c.bans.list.find(banned, now) == nil {
		t.Error("a good ban does not hold beside a damaged one")
	}
	if st := c.Stats(); !st.BansLoaded || st.Bans != 1 || st.BansDamaged != 1 {
		t.Errorf("%v, %d bans, %d damaged", st.BansLoaded, st.Bans, st.BansDamaged)
	}
	if n := strings.Count(log.String(), "10.0.0.0/8"); n != 1 {
		t.Errorf("the damaged ban is named %d times:\n%s", n, log.String())
	}
	for range 3 {
		c.Step(FromStore(&storage.Result{Kind: storage.OpAddressBans, Err: errors.New("the disk does not answer")}))
	}
	if c.bans.list.find(banned, now) == nil || strings.Count(log.String(), "does not answer") != 1 {
		t.Errorf("after readings that failed: the ban holds: %v\n%s", c.bans.list.find(banned, now) != nil, log.String())
	}
}

// The blocklist is read until it could be, one reading at a time.
func TestCore_AddressBansAreReadUntilTheyCouldBe(t *testing.T) {
	e := newScenario(t)
	c := e.core
	c.Step(FromStore(&storage.Result{Kind: storage.OpAddressBans})) // the one of the start
	reads := func() (n int) {
		for _, op := range c.effects.ops {
			if op.Kind == storage.OpAddressBans {
				n++
			}
		}
		c.Flush()
		return n
	}
	reload := &Command{Kind: CommandAddressBans}
	c.Step(FromOperator(reload))
	c.Step(FromOperator(reload))
	if n := reads(); n != 1 {
		t.Fatalf("%d readings at once", n)
	}
	c.Step(FromStore(&storage.Result{Kind: storage.OpAddressBans}))
	if n := reads(); n != 1 {
		t.Fatal("a change during a reading was not read")
	}
	c.Step(FromStore(&storage.Result{Kind: storage.OpAddressBans, Err: storage.ErrReadFailed}))
	e.now = e.now.Add(TickEvery)
	c.Step(FromClock(e.now.UnixMilli(), e.now.UnixMilli()))
	if n := reads(); n != 1 {
		t.Fatal("a failed reading was not tried again")
	}
	c.Step(FromStore(&storage.Result{Kind: storage.OpAddressBans}))
	e.storeOff = true
	c.Step(FromOperator(reload))
	c.Flush()
	e.storeOff = false
	c.Step(FromClock(e.now.UnixMilli(), e.now.UnixMilli()))
	if n := reads(); n != 1 {
		t.Fatal("a refused reading was not tried again")
	}
}

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

func TestNativeSession_WipesItsSecretAtItsEnd(t *testing.T) {
	e := newScenario(t)
	conn := codec.NewConn(0, 1, 1)
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn, Protocol: codec.ProtocolNative}))
	s := e.core.sessions.get(conn)
	secret := worlds.NewSecret([]byte("thirty-two bytes of a key, or so"))
	s.native.secret = &secret
	e.core.remove(s)
	if !secret.Empty() {
		t.Error("something is left")
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
