package logic

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestScenarios plays the scripts in testdata, one file a scenario, with a fake
// clock and neighbours that write down what they are asked. What a command
// prints is all that it caused. -rewrite writes the expected output anew.
func TestScenarios(t *testing.T) { playScenarios(t, "testdata") }

func playScenarios(t *testing.T, folder string) {
	datadriven.Walk(t, folder, func(t *testing.T, path string) {
		if filepath.Dir(path) != folder {
			return // rapid and the fuzzer keep their inputs in folders of testdata
		}
		env := newScenario(t)
		datadriven.RunTest(t, path, env.run)
	})
}

func TestScenarios_LeaveInputsOfOtherTestsAlone(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"rapid/TestLine/TestLine-1.fail", "fuzz/FuzzLine/0123456789abcdef"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("v0.4.8#1\n0x1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	playScenarios(t, folder)
}

// scenario is a core with recording neighbours.
type scenario struct {
	core *Core
	out  bytes.Buffer
	now  time.Time
	// shift is how far the wall clock is off.
	shift time.Duration

	options  Options
	outFull  bool
	closeOff bool
	storeOff bool
	proveOff bool
	minted   uint64 // ephemerals made so far
	orders   int    // ephemerals ordered and not delivered
	noMint   bool   // leaves orders open
	key      srp6.SessionKey
	closing  []codec.Conn // closed by the core; the reactor's word is to come
	// asked is the last challenge of each connection.
	asked  map[codec.Conn]codec.Challenge
	frames map[string][]byte
	// exchanges are what the pool was given of native clients, published and version
	// what those are shown.
	exchanges map[codec.Conn]*auth.NativeExchange
	published string
	version   uint64
	// region is what is beyond the bus; nil for a server that is alone.
	region *scenarioRegion
}

func newScenario(t testing.TB) *scenario {
	e := &scenario{now: time.UnixMilli(1_700_000_000_000), asked: make(map[codec.Conn]codec.Challenge), frames: make(map[string][]byte),
		exchanges: make(map[codec.Conn]*auth.NativeExchange)}
	e.key[0] = 7
	log := slog.New(slog.NewTextHandler(&e.out, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	e.options = Options{Secret: [32]byte{1}, ReconnectGrace: time.Minute, Logger: log, Factors: scenarioFactors, Versions: newScenarioVersions()}
	e.restart(t)
	return e
}

func (e *scenario) restart(t testing.TB) {
	ports := Ports{Out: e, Store: scenarioStore{e}, Prover: scenarioProver{e}, Worlds: e}
	if e.region != nil {
		ports.Region, ports.Bus = e.region, e.region
	}
	core, err := NewCore(e.options, ports)
	if err != nil {
		t.Fatal(err)
	}
	e.core = core
	core.Step(FromClock(e.now.UnixMilli(), e.wall().UnixMilli()))
	core.Flush()
	e.deliverMints()
	e.out.Reset()
}

// deliverMints lets the pool make the ephemerals that were ordered.
func (e *scenario) deliverMints() {
	for ; e.orders > 0 && !e.noMint; e.orders-- {
		e.minted++
		random := [srp6.SecretSize]byte{byte(e.minted), byte(e.minted >> 8), 1}
		e.core.Step(FromPool(&auth.Result{Kind: auth.JobMint, Ephemeral: srp6.NewEphemeral(&random), Random: [auth.RandomSize]byte{byte(e.minted), byte(e.minted >> 8)}}))
	}
}

func (e *scenario) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	e.out.Reset()
	step, ok := scenarioSteps[d.Cmd]
	if !ok {
		step, ok = nativeSteps[d.Cmd]
	}
	if !ok {
		step, ok = updateSteps[d.Cmd]
	}
	if !ok {
		d.Fatalf(t, "no such command")
	}
	step(e, t, d)
	e.core.Flush()
	e.deliverMints()
	e.core.Flush()
	e.region.settle()
	return e.out.String()
}

// wall is what the wall clock shows.
func (e *scenario) wall() time.Time { return e.now.Add(e.shift) }

func (e *scenario) say(format string, args ...any) { fmt.Fprintf(&e.out, format+"\n", args...) }

// The Outbox.

func (e *scenario) reply(r *codec.Reply) string {
	if r.Kind == codec.ReplyLogonChallenge && r.Result == codec.ResultOK {
		return fmt.Sprintf("%v ok salt=%x…%s", r.Kind, r.Challenge.Salt[:2], factorText(r.Challenge.Factors))
	}
	if r.Kind == codec.ReplyTransferOffer || r.Kind >= codec.ReplyTransferQueued {
		return fmt.Sprintf("%v %s", r.Kind, updateText(r))
	}
	if r.Kind >= codec.ReplyPasswordChallenge {
		return fmt.Sprintf("%v %s", r.Kind, nativeText(r))
	}
	return fmt.Sprintf("%v %v", r.Kind, r.Result)
}

func (e *scenario) Send(conn codec.Conn, r *codec.Reply) bool {
	if !e.outFull {
		e.asked[conn] = r.Challenge
		e.say("→ %d: %s", conn.Slot(), e.reply(r))
	}
	return !e.outFull
}

func (e *scenario) SendLast(conn codec.Conn, r *codec.Reply) bool {
	if !e.outFull {
		e.say("→ %d: %s, then close", conn.Slot(), e.reply(r))
		e.closing = append(e.closing, conn)
	}
	return !e.outFull
}

func (e *scenario) SendFrame(conn codec.Conn, frame []byte) bool {
	if !e.outFull {
		e.say("→ %d: %s", conn.Slot(), frame)
	}
	return !e.outFull
}

func (e *scenario) Broadcast(targets []codec.Conn, frame []byte) bool {
	var slots []int
	for _, conn := range targets {
		slots = append(slots, conn.Slot())
	}
	if !e.outFull {
		e.say("→ %v: %s", slots, frame)
	}
	return !e.outFull
}

func (e *scenario) Close(conn codec.Conn, reason codec.CloseReason) bool {
	if !e.closeOff {
		e.say("→ %d: close (%v)", conn.Slot(), reason)
		e.closing = append(e.closing, conn)
	}
	return !e.closeOff
}

func (e *scenario) Flush() {}

// FrameFor is the WorldList. Those who see the same share one frame.
func (e *scenario) FrameFor(ask worlds.Ask) ([]byte, error) {
	if ask.Build == 6141 {
		return nil, errors.New("no list for this build")
	}
	text := fmt.Sprintf("worlds for %d", ask.Build)
	if e.region != nil {
		text += " at " + e.region.list
	}
	if len(ask.Characters) > 0 {
		return fmt.Appendf(nil, "%s with characters %v", text, ask.Characters), nil
	}
	if e.frames[text] == nil {
		e.frames[text] = []byte(text)
	}
	return e.frames[text], nil
}

type scenarioStore struct{ *scenario }

func (e scenarioStore) Submit(ops []storage.Op) int {
	if e.storeOff {
		return 0
	}
	names := map[storage.OpKind]string{
		storage.OpDevice: "device", storage.OpRotateDevice: "rotate-device", storage.OpAddDevice: "add-device", storage.OpRemoveDevice: "remove-device",
		storage.OpGet: "get", storage.OpLogin: "login", storage.OpLoginFailed: "login-failed", storage.OpAddressBans: "address-bans",
	}
	for _, op := range ops {
		if op.Kind == storage.OpCharacters {
			e.say("store: characters of %s in world %d: %d", op.Name, op.World, op.Count)
			continue
		}
		synced := ""
		if op.Synced {
			synced = " synced"
		}
		if op.Kind == storage.OpAddDevice && op.Proven != (storage.Credentials{}) {
			synced = " proven"
		}
		if op.Kind == storage.OpSetDecoys {
			d := op.Decoys
			e.say("store: keep decoys shared=%v secret=%x… marked=%d zero-top=%v", d.Shared, d.Secret[:2], d.Salts.Marked, d.Salts.ZeroTop)
			continue
		}
		e.say("store: %s %s%s", names[op.Kind], op.Name, synced)
	}
	return len(ops)
}

type scenarioProver struct{ *scenario }

func (e scenarioProver) Submit(jobs []auth.Job) int {
	if e.proveOff {
		return 0
	}
	for _, j := range jobs {
		switch {
		case j.Kind == auth.JobMint:
			e.orders++
		case j.Native != nil:
			e.exchanges[codec.Conn(j.Tag)] = j.Native
			e.say("%v: %s", j.Kind, j.Native.Server.Name)
		default:
			e.say("prove: %s", storage.Name(j.Exchange.Name))
		}
	}
	return len(jobs)
}
