package logic

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

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
