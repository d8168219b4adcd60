package logic

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// The commands of a script.
var scenarioSteps = map[string]func(*scenario, *testing.T, *datadriven.TestData){
	"options": stepOptions, "open": stepOpen, "hello": stepHello, "account": stepAccount, "proof": stepProof,
	"verdict": stepVerdict, "recorded": stepRecorded, "reproof": stepReproof, "list": stepMessage(codec.KindWorldList),
	"accept": stepMessage(codec.KindTransferAccept), "survey": stepMessage(codec.KindSurveyResult),
	"closed": stepMessage(codec.KindClosed), "tick": stepTick, "set-clock": stepSetClock, "kick": stepKick, "drain": stepCommand(CommandDrain),
	"stop": stepCommand(CommandClose), "maintenance": stepMaintenance, "address-bans": stepAddressBans,
	"full": stepFull, "region-key": stepRegionKey, "salts": stepSalts, "decoys-kept": stepDecoysKept, "no-random": stepEmpty, "state": stepState, "login": stepLogin,
	"place": stepPlace, "claim": stepClaim, "hold": stepHold, "end": stepEnd, "list-changes": stepListChanges,
	"up": stepUp, "new-manager": stepNewManager, "characters": stepCharacters, "cut": stepCut,
}

func handle(t *testing.T, d *datadriven.TestData) codec.Conn {
	var slot int
	d.ScanArgs(t, "conn", &slot)
	generation := 1
	d.MaybeScanArgs(t, "generation", &generation)
	return codec.NewConn(0, slot, uint32(generation))
}

func stepOptions(e *scenario, t *testing.T, d *datadriven.TestData) {
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "durable":
			e.options.DurableLogins = true
		case "native-builds":
			e.options.Versions.(*scenarioVersions).native = []uint16{2}
		case "one-a-minute":
			e.options.SignInsPerMinute = 1
		case "remembers":
			e.options.DeviceLifetime = time.Hour
		case "any-build":
			e.options.Versions.(*scenarioVersions).grunt = []uint16{4125, 5875, 8606, 12340}
		case "decoys":
			if _, err := fmt.Sscan(arg.Vals[0], &e.options.FactorDecoys); err != nil {
				t.Fatal(err)
			}
		case "at-once":
			if _, err := fmt.Sscan(arg.Vals[0], &e.options.UpdatesAtOnce); err != nil {
				t.Fatal(err)
			}
		case "region":
			e.region = newScenarioRegion(e)
			// It has met its region before, whose key is all zeros.
			e.options.Decoys = storage.Decoys{Shared: true, Secret: auth.RegionDecoys(make([]byte, worlds.VoucherKeySize))}
		case "new-region":
			e.region = newScenarioRegion(e)
		case "secret":
			if _, err := fmt.Sscan(arg.Vals[0], &e.options.Secret[0]); err != nil {
				t.Fatal(err)
			}
		case "push":
			e.options.PushWorlds = true
		case "grace":
			e.options.ReconnectGrace = mustDuration(t, arg.Vals[0])
		case "no-mint":
			e.noMint = true
		default:
			d.Fatalf(t, "no such option %s", arg.Key)
		}
	}
	e.restart(t)
}

func mustDuration(t *testing.T, s string) time.Duration {
	t.Helper()
	v, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func stepOpen(e *scenario, t *testing.T, d *datadriven.TestData) {
	peer := "10.0.0.1"
	d.MaybeScanArgs(t, "peer", &peer)
	m := codec.Message{Kind: codec.KindOpened, Conn: handle(t, d), Peer: netip.AddrPortFrom(netip.MustParseAddr(peer), 5000)}
	if d.HasArg("native") {
		m.Protocol = codec.ProtocolNative
	}
	e.core.Step(FromClient(&m))
}

func stepHello(e *scenario, t *testing.T, d *datadriven.TestData) {
	var raw string
	build := 5875
	d.ScanArgs(t, "name", &raw)
	d.MaybeScanArgs(t, "build", &build)
	name, _ := codec.NameOf(raw)
	m := codec.Message{Kind: codec.KindLogonChallenge, Conn: handle(t, d), Hello: codec.Hello{Name: name, Build: uint16(build)}}
	copy(m.Hello.System[:], argument(d, "system"))
	if d.HasArg("reconnect") {
		m.Kind = codec.KindReconnectChallenge
	}
	e.core.Step(FromClient(&m))
}

func stepAccount(e *scenario, t *testing.T, d *datadriven.TestData) {
	r := storage.Result{Kind: storage.OpGet, Tag: uint64(handle(t, d)), Err: storage.ErrNotFound}
	switch {
	case d.HasArg("found"), d.HasArg("banned"), d.HasArg("suspended"):
		r.Err = nil
		r.Account = &storage.Account{Grunt: storage.GruntVerifier{Set: true, Salt: [32]byte{0xaa, 0xbb}, Verifier: [32]byte{9}}}
		r.Account.Ban = storage.Ban{Set: !d.HasArg("found")}
		if d.HasArg("suspended") {
			r.Account.Ban.Until = e.now.Add(time.Hour).Unix()
		}
		e.giveFactors(t, d, r.Account)
		if d.HasArg("characters") {
			r.Account.Characters = []storage.WorldCount{{World: 7, Count: 3}}
		}
	case d.HasArg("error"):
		r.Err = storage.ErrCorrupt
	}
	e.core.Step(FromStore(&r))
}

func stepProof(e *scenario, t *testing.T, d *datadriven.TestData) {
	m := codec.Message{Kind: codec.KindLogonProof, Conn: handle(t, d), Proof: scenarioFiles(d)}
	e.answerFactors(t, d, &m.Proof)
	e.core.Step(FromClient(&m))
}

func stepVerdict(e *scenario, t *testing.T, d *datadriven.TestData) {
	r := auth.Result{Kind: auth.JobProve, Tag: uint64(handle(t, d)), Key: e.key}
	switch {
	case d.HasArg("wrong"):
		r.Err, r.Key = srp6.ErrProof, srp6.SessionKey{}
	case d.HasArg("zero-key"):
		r.Err, r.Key = srp6.ErrPublicKey, srp6.SessionKey{}
	case d.HasArg("error"):
		r.Err, r.Key = errors.New("the pool has had an accident"), srp6.SessionKey{}
	}
	e.core.Step(FromPool(&r))
	if r.Key != (srp6.SessionKey{}) {
		t.Fatal("the key was left in the result")
	}
}

func stepRecorded(e *scenario, t *testing.T, d *datadriven.TestData) {
	r := storage.Result{Kind: storage.OpLogin, Tag: uint64(handle(t, d))}
	if d.HasArg("error") {
		r.Err = storage.ErrFailed
	}
	e.core.Step(FromStore(&r))
}

func stepReproof(e *scenario, t *testing.T, d *datadriven.TestData) {
	conn := handle(t, d)
	m := codec.Message{Kind: codec.KindReconnectProof, Conn: conn, Reconnect: codec.Reconnect{R1: [16]byte{3}}}
	if s := e.core.sessions.get(conn); !d.HasArg("wrong") && s != nil && s.attempt != nil {
		m.Reconnect.R2 = srp6.ReconnectProof(s.name.Bytes(), &m.Reconnect.R1, &s.attempt.challenge, &e.key)
	}
	e.core.Step(FromClient(&m))
}

func stepMessage(kind codec.Kind) func(*scenario, *testing.T, *datadriven.TestData) {
	return func(e *scenario, t *testing.T, d *datadriven.TestData) {
		e.core.Step(FromClient(&codec.Message{Kind: kind, Conn: handle(t, d)}))
	}
}

// stepTick lets time pass. Before each tick the reactors close what they were
// told to, unless "lost" says that they never were.
func stepTick(e *scenario, t *testing.T, d *datadriven.TestData) {
	for end := e.now.Add(mustDuration(t, d.CmdArgs[0].Key)); e.now.Before(end); {
		for _, conn := range e.closing {
			if !d.HasArg("lost") {
				e.core.Step(FromClient(&codec.Message{Kind: codec.KindClosed, Conn: conn, Reason: codec.CloseLogic}))
			}
		}
		e.closing = e.closing[:0]
		e.now = e.now.Add(TickEvery)
		e.core.Step(FromClock(e.now.UnixMilli(), e.wall().UnixMilli()))
		e.core.Flush()
		e.region.settle()
	}
}

// stepSetClock sets the wall clock ahead or back, from where it stands.
func stepSetClock(e *scenario, t *testing.T, d *datadriven.TestData) {
	e.shift += mustDuration(t, d.CmdArgs[0].Key)
	e.core.Step(FromClock(e.now.UnixMilli(), e.wall().UnixMilli()))
}

func stepKick(e *scenario, t *testing.T, d *datadriven.TestData) {
	name, err := storage.FoldName(d.CmdArgs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	cmd := Command{Kind: CommandKick, Name: name}
	if d.HasArg("banned") {
		cmd.Result = codec.ResultBanned
	}
	e.core.Step(FromOperator(&cmd))
}

func stepCommand(kind CommandKind) func(*scenario, *testing.T, *datadriven.TestData) {
	return func(e *scenario, _ *testing.T, _ *datadriven.TestData) {
		e.core.Step(FromOperator(&Command{Kind: kind}))
	}
}

func stepMaintenance(e *scenario, _ *testing.T, d *datadriven.TestData) {
	on := d.CmdArgs[0].Key == "on"
	e.core.Step(FromBus(&worlds.Event{Order: &worlds.Order{Maintenance: &on}}))
}

// stepAddressBans delivers the list of bans: prefix, or prefix until=seconds
// from now, one a line.
func stepAddressBans(e *scenario, t *testing.T, d *datadriven.TestData) {
	var bans []storage.AddressBan
	for _, line := range strings.Fields(d.Input) {
		text, until, timed := strings.Cut(line, "+")
		ban := storage.AddressBan{Prefix: netip.MustParsePrefix(text), Ban: storage.Ban{Set: true}}
		if timed {
			ban.Ban.Until = e.now.Add(mustDuration(t, until)).Unix()
		}
		bans = append(bans, ban)
	}
	e.core.Step(FromStore(&storage.Result{Kind: storage.OpAddressBans, AddressBans: bans}))
}

func stepFull(e *scenario, t *testing.T, d *datadriven.TestData) {
	on := !d.HasArg("off")
	switch d.CmdArgs[0].Key {
	case "outbox":
		e.outFull = on
	case "closes":
		e.closeOff = on
	case "store":
		e.storeOff = on
	case "prover":
		e.proveOff = on
	default:
		d.Fatalf(t, "no such queue")
	}
}

// stepEmpty takes the random bytes away that are in stock, and brings no more.
func stepEmpty(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	e.noMint = true
	e.core.pool.randoms = nil
}

// stepLogin is the whole way of a good login in one line.
func stepLogin(e *scenario, t *testing.T, d *datadriven.TestData) {
	whole := *d
	whole.CmdArgs = append([]datadriven.CmdArg{{Key: "found"}}, d.CmdArgs...)
	for _, step := range []func(*scenario, *testing.T, *datadriven.TestData){
		stepOpen, stepHello, stepAccount, stepProof, stepVerdict,
	} {
		step(e, t, &whole)
		e.core.Flush()
	}
}

// stepState prints the sessions, and what is held of secrets.
func stepState(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	e.core.sessions.each(func(s *session) {
		e.say("%d: %v %s attempt=%v", s.conn.Slot(), s.state, s.name, s.attempt != nil)
	})
	var keys []string
	e.core.keys.passes.Each(func(h *heldKey) {
		keys = append(keys, fmt.Sprintf("key of %s held by %d", h.Account, h.Owner.holder.Slot()))
	})
	slices.Sort(keys)
	for _, key := range keys {
		e.say("%s", key)
	}
	if e.region != nil {
		e.region.peer.Each(func(h *worlds.Held[int]) { e.say("key of %s held in %s", h.Account, peerNode) })
	}
	for _, a := range e.core.sessions.attempts {
		if *a != (attempt{}) {
			e.say("an attempt was not wiped")
		}
	}
}
