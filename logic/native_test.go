package logic

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/auth"
	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// The token that scenarios know.
var (
	scenarioFamily = [16]byte{0xfa}
	scenarioKey    = [32]byte{0x4e}
	scenarioSecret = [32]byte{0x5e}
	scenarioDevice = [16]byte{0xde}
)

// nativeText is what a native client is told, without what is random.
func nativeText(r *codec.Reply) string {
	n := r.Native
	switch r.Kind {
	case codec.ReplyPasswordChallenge:
		return fmt.Sprintf("group=%d memory=%d salt=%x…", n.Group, n.Memory, n.Salt[:2])
	case codec.ReplyAccepted:
		return fmt.Sprintf("proof=%x keys=%t", n.Proof[:2], n.Keys != codec.ChannelKeys{})
	case codec.ReplyRefused:
		return fmt.Sprintf("%v after=%d", r.Result, r.Number)
	case codec.ReplyKicked:
		return r.Result.String()
	case codec.ReplyFactorWanted:
		return fmt.Sprintf("factors=%d", r.Factors)
	case codec.ReplyWelcome:
		return fmt.Sprintf("ping=%d remembers=%t", n.PingEvery, n.Remembers)
	case codec.ReplyCharacters:
		return fmt.Sprint(n.Counts)
	case codec.ReplyRemembered:
		return fmt.Sprintf("drawn=%t expires=%d", n.Family != [16]byte{} && n.Key != [32]byte{}, n.Expires)
	case codec.ReplyPassIssued:
		return fmt.Sprintf("world=%d at %s for %d ms", r.Number, n.Address, n.Validity)
	case codec.ReplySelectRefused:
		return fmt.Sprintf("world=%d %v, instead %v", r.Number, n.Reason, n.Alternatives)
	case codec.ReplyNotice:
		return n.Text
	}
	return fmt.Sprint(r.Number)
}

// The list of worlds, as native clients are shown it: 7 is there, 8 offline, 9 takes
// only another build.

func (e *scenario) listed() string {
	if e.region == nil {
		return "static"
	}
	return e.region.list
}

func (e *scenario) Publish(stale bool) bool {
	now := fmt.Sprintf("%s stale=%t", e.listed(), stale)
	if e.published == now {
		return false
	}
	e.published = now
	e.version++
	return true
}

func (e *scenario) Version() uint64 { return e.version }

func (e *scenario) NativeSnapshot(worlds.Ask) ([]byte, error) {
	return e.frame(fmt.Sprintf("snapshot %d: %s", e.version, e.published)), nil
}

func (e *scenario) NativeDelta(worlds.Ask) ([]byte, error) {
	return e.frame(fmt.Sprintf("delta %d to %d: %s", e.version-1, e.version, e.published)), nil
}

func (e *scenario) frame(text string) []byte {
	if e.frames[text] == nil {
		e.frames[text] = []byte(text)
	}
	return e.frames[text]
}

func (e *scenario) NativeFind(id uint8, _ worlds.Ask) (worlds.NativeWorld, bool) {
	w := worlds.NativeWorld{Address: "192.0.2.7:8185", Offline: id == 8, Mismatch: id == 9}
	return w, id == 7 || id == 8 || id == 9 || id == 6
}

func (e *scenario) Alternatives(_ worlds.Ask, except uint8) []uint8 {
	if except == 7 {
		return []uint8{6}
	}
	return []uint8{7}
}

var nativeSteps = map[string]func(*scenario, *testing.T, *datadriven.TestData){
	"sign-in": stepSignIn, "native-account": stepNativeAccount, "native-challenge": stepNativeChallenge,
	"native-proof": stepNativeProof, "native-verdict": stepNativeVerdict, "code": stepCode,
	"device": stepDevice, "token-proof": stepTokenProof, "rotated": stepStored(storage.OpRotateDevice),
	"native-login": stepNativeLogin, "select": stepNumber(codec.KindSelectWorld), "ping": stepNumber(codec.KindPing),
	"release": stepNumber(codec.KindReleaseWorld), "forget": stepNumber(codec.KindForgetDevice), "remember": stepRemember,
	"remembered": stepStored(storage.OpAddDevice), "use": stepUse, "progress": stepProgress, "order": stepOrder,
	"removed": stepRemoved, "takes": stepTakes, "stale": stepStale,
}

func stepSignIn(e *scenario, t *testing.T, d *datadriven.TestData) {
	var raw string
	build := 1
	d.ScanArgs(t, "name", &raw)
	d.MaybeScanArgs(t, "build", &build)
	name, _ := codec.NameOf(raw)
	n := &codec.NativeMessage{Nonce: [32]byte{0xc1}, Device: scenarioDevice}
	n.TakesUpdates = d.HasArg("takes-updates")
	if d.HasArg("token") {
		n.ByToken, n.Family = true, scenarioFamily
	}
	e.core.Step(FromClient(&codec.Message{
		Kind: codec.KindSignIn, Conn: handle(t, d), Hello: codec.Hello{Name: name, Build: uint16(build)}, Native: n,
	}))
}

// nativeAccount is an account with a native verifier. Nobody proves it here, so its
// V need not be that of a password.
func (e *scenario) nativeAccount(t *testing.T, d *datadriven.TestData) *storage.Account {
	v := srp6a.NewVerifier(srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.KDF{MemoryKiB: 64, Passes: 1, Lanes: 1}}, &[32]byte{0xaa, 0xbb}, "PLAYER", "secret")
	a := &storage.Account{Others: map[string][]byte{storage.ProtocolNative: v.Append(nil)}}
	if d.HasArg("grunt-only") {
		a.Others = nil
	}
	a.Ban.Set = d.HasArg("banned")
	e.giveFactors(t, d, a)
	if d.HasArg("characters") {
		a.Characters = []storage.WorldCount{{World: 7, Count: 3}}
	}
	return a
}

func stepNativeAccount(e *scenario, t *testing.T, d *datadriven.TestData) {
	r := storage.Result{Kind: storage.OpGet, Tag: uint64(handle(t, d)), Err: storage.ErrNotFound}
	switch {
	case d.HasArg("error"):
		r.Err = storage.ErrReadFailed
	case !d.HasArg("none"):
		r.Err, r.Account = nil, e.nativeAccount(t, d)
	}
	e.core.Step(FromStore(&r))
}

// takeExchange is what the pool was given for a connection.
func (e *scenario) takeExchange(t *testing.T, conn codec.Conn) *auth.NativeExchange {
	x := e.exchanges[conn]
	if x == nil {
		t.Fatal("the pool was not asked")
	}
	return x
}

func stepNativeChallenge(e *scenario, t *testing.T, d *datadriven.TestData) {
	conn := handle(t, d)
	r := auth.Result{Kind: auth.JobNativeChallenge, Tag: uint64(conn), Native: e.takeExchange(t, conn)}
	if d.HasArg("error") {
		r.Err = auth.ErrRandom
	}
	r.Native.Server.B = make([]byte, 256)
	e.core.Step(FromPool(&r))
}

func stepNativeProof(e *scenario, t *testing.T, d *datadriven.TestData) {
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindPasswordProof, Conn: handle(t, d), Native: &codec.NativeMessage{PublicKey: make([]byte, 256)}}))
}

func stepNativeVerdict(e *scenario, t *testing.T, d *datadriven.TestData) {
	conn := handle(t, d)
	r := auth.Result{Kind: auth.JobNativeProve, Tag: uint64(conn), Native: e.takeExchange(t, conn)}
	switch {
	case d.HasArg("wrong"):
		r.Err = srp6a.ErrProof
	case d.HasArg("error"):
		r.Err = auth.ErrPanic
	default:
		r.Native.M2 = [32]byte{0x22}
		r.Native.Keys = keyschedule.Keys{ToServer: [32]byte{1}, ToClient: [32]byte{2}, Session: [32]byte{3}}
	}
	e.core.Step(FromPool(&r))
	if r.Native.Keys != (keyschedule.Keys{}) {
		t.Fatal("the keys were left in the result")
	}
}

func stepCode(e *scenario, t *testing.T, d *datadriven.TestData) {
	code := e.digits(t, argument(d, "text"))
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindFactorCode, Conn: handle(t, d), Native: &codec.NativeMessage{Text: code}}))
}

func stepDevice(e *scenario, t *testing.T, d *datadriven.TestData) {
	r := storage.Result{Kind: storage.OpDevice, Tag: uint64(handle(t, d)), Err: storage.ErrNotFound}
	if !d.HasArg("none") {
		r.Err, r.Account = nil, e.nativeAccount(t, d)
		r.Device = &storage.Device{
			Family: scenarioFamily, ID: scenarioDevice, Key: scenarioKey, Verifier: devicetoken.VerifierOf(&scenarioSecret),
			Expires: e.now.Unix() + 60,
		}
		if d.HasArg("expired") {
			r.Device.Expires = e.now.Unix()
		}
		if d.HasArg("foreign") {
			r.Device.ID[1]++
		}
	}
	e.core.Step(FromStore(&r))
}

func stepTokenProof(e *scenario, t *testing.T, d *datadriven.TestData) {
	conn := handle(t, d)
	x := devicetoken.Exchange{Nonces: keyschedule.Nonces{Client: [32]byte{0xc1}}, Transcript: [32]byte{7}}
	if s := e.core.sessions.get(conn); s != nil && s.attempt != nil {
		x.Nonces.Server = s.attempt.native.token.Nonces.Server
	}
	p := devicetoken.Proof{Secret: scenarioSecret, Next: [32]byte{0x99}}
	key := scenarioKey
	switch {
	case d.HasArg("wrong"):
		key[0]++
	case d.HasArg("zero-key"): // what a stranger can do who has no token
		key = [32]byte{}
	case d.HasArg("old"):
		p.Secret[0]++
	case d.HasArg("fallback"):
		p.Secret, p.Fallback = [32]byte{1}, scenarioSecret
	}
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindTokenProof, Conn: conn, Native: &codec.NativeMessage{
		Sealed: devicetoken.Seal(&key, &x, &p), Transcript: x.Transcript, After: [32]byte{8},
	}}))
}

// stepStored is the store's answer about a device.
func stepStored(kind storage.OpKind) func(*scenario, *testing.T, *datadriven.TestData) {
	return func(e *scenario, t *testing.T, d *datadriven.TestData) {
		r := storage.Result{Kind: kind, Tag: uint64(handle(t, d))}
		switch {
		case d.HasArg("conflict"):
			r.Err = storage.ErrConflict
		case d.HasArg("error"):
			r.Err = storage.ErrFailed
		}
		e.core.Step(FromStore(&r))
	}
}

// stepRemoved is the store's result of the removal with a tag.
func stepRemoved(e *scenario, t *testing.T, d *datadriven.TestData) {
	r := storage.Result{Kind: storage.OpRemoveDevice}
	d.ScanArgs(t, "tag", &r.Tag)
	switch {
	case d.HasArg("corrupt"):
		r.Err = storage.ErrCorrupt
	case d.HasArg("error"):
		r.Err = storage.ErrFailed
	case d.HasArg("none"):
		r.Err = storage.ErrNotFound
	}
	e.core.Step(FromStore(&r))
}

// stepNativeLogin is the whole way of a good sign-in by password in one line.
func stepNativeLogin(e *scenario, t *testing.T, d *datadriven.TestData) {
	open := *d
	open.CmdArgs = append([]datadriven.CmdArg{{Key: "native"}}, d.CmdArgs...)
	stepOpen(e, t, &open)
	for _, step := range []func(*scenario, *testing.T, *datadriven.TestData){
		stepSignIn, stepNativeAccount, stepNativeChallenge, stepNativeProof, stepNativeVerdict,
	} {
		step(e, t, d)
		e.core.Flush()
	}
}

func stepNumber(kind codec.Kind) func(*scenario, *testing.T, *datadriven.TestData) {
	return func(e *scenario, t *testing.T, d *datadriven.TestData) {
		number := 0
		d.MaybeScanArgs(t, "number", &number)
		e.core.Step(FromClient(&codec.Message{Kind: kind, Conn: handle(t, d), Number: uint64(number)}))
	}
}

func stepRemember(e *scenario, t *testing.T, d *datadriven.TestData) {
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindRememberDevice, Conn: handle(t, d), Native: &codec.NativeMessage{
		Text: "laptop", Proof: [32]byte{0x77},
	}}))
}

// stepUse has the client come to the world's gate with its pass.
func stepUse(e *scenario, t *testing.T, d *datadriven.TestData) {
	s := e.core.sessions.get(handle(t, d))
	h, err := e.region.peer.Use(s.native.pass)
	if err != nil {
		e.say("%s: %v", peerNode, err)
		return
	}
	session := [32]byte{3}
	want := keyschedule.PassKey(&session, s.native.world, (*[16]byte)(&s.native.pass))
	e.say("%s: %s used its pass, key as derived: %t", peerNode, h.Account, string(h.Key().Bytes()) == string(want[:]))
}

func stepProgress(e *scenario, t *testing.T, d *datadriven.TestData) {
	var position int
	from := string(peerNode)
	d.MaybeScanArgs(t, "position", &position)
	d.MaybeScanArgs(t, "from", &from)
	s := e.core.sessions.get(handle(t, d))
	e.core.Step(FromBus(&worlds.Event{From: worlds.Node(from), Progress: &worlds.Progress{Pass: s.native.pass, Position: uint32(position), Ended: strings.ReplaceAll(argument(d, "ended"), "-", " ")}}))
}

func stepOrder(e *scenario, t *testing.T, d *datadriven.TestData) {
	o := &worlds.Order{}
	switch d.CmdArgs[0].Key {
	case "maintenance":
		on := !d.HasArg("off")
		o.Maintenance = &on
	default:
		o.Notice = d.CmdArgs[0].Key
	}
	e.core.Step(FromBus(&worlds.Event{Order: o}))
}

// stepTakes has the gate refuse passes for a reason, or take them.
func stepTakes(e *scenario, t *testing.T, d *datadriven.TestData) {
	e.region.refuses = worlds.ReasonNone
	if d.HasArg("full") {
		e.region.refuses = worlds.ReasonFull
	}
}

func stepStale(e *scenario, _ *testing.T, d *datadriven.TestData) { e.region.stale = !d.HasArg("off") }
