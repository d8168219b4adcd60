package logic

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/logic/factor"
	"gatepass/storage"
	"gatepass/worlds"
)

// The second factors of scenarios. Builds below 2.4.0 have a PIN pad, later ones
// a token field as well; 4125 has nothing.
//
//	account conn=1 found pin=1234 totp    what the account has
//	proof conn=1 pin=1234                 a PIN typed on the pad
//	proof conn=1 token=123456             a code typed as token
//
// In both, code stands for the code of now, code-1 for the one before and so on.

const scenarioTOTP = "JBSWY3DPEHPK3PXP"

func scenarioFactors(build uint16) codec.Factors {
	return grunt.LayoutOf(grunt.Build(build)).Factors()
}

func factorText(f codec.Factors) (text string) {
	for _, name := range []struct {
		bit  codec.Factors
		text string
	}{{codec.FactorPIN, " pin"}, {codec.FactorMatrix, " matrix"}, {codec.FactorToken, " token"}} {
		if f&name.bit != 0 {
			text += name.text
		}
	}
	if text != "" {
		text = " asks for" + text
	}
	return text
}

func mustTOTP(t testing.TB, text string) auth.TOTPSecret {
	t.Helper()
	secret, err := auth.ParseTOTPSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// argument is the value of an argument, empty where there is none.
func argument(d *datadriven.TestData, key string) string {
	for _, arg := range d.CmdArgs {
		if arg.Key == key && len(arg.Vals) > 0 {
			return arg.Vals[0]
		}
	}
	return ""
}

func (e *scenario) giveFactors(t *testing.T, d *datadriven.TestData, a *storage.Account) {
	a.PIN = argument(d, "pin")
	if d.HasArg("totp") {
		a.TOTPSecret = mustTOTP(t, scenarioTOTP)
	}
}

// digits turns code and code-1 into digits.
func (e *scenario) digits(t *testing.T, text string) string {
	offset, isCode := strings.CutPrefix(text, "code")
	if !isCode {
		return text
	}
	n, err := strconv.ParseInt("0"+offset, 10, 64)
	if offset != "" {
		n, err = strconv.ParseInt(offset, 10, 64)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mustTOTP(t, scenarioTOTP).Code(auth.TOTPStep(e.wall()) + n)
}

// answerFactors does what a client does; a flag without a value claims a factor
// and sends zeros.
func (e *scenario) answerFactors(t *testing.T, d *datadriven.TestData, p *codec.Proof) {
	pin, token := argument(d, "pin"), argument(d, "token")
	if d.HasArg("pin") {
		p.Factors |= codec.FactorPIN
	}
	if d.HasArg("token") {
		p.Factors |= codec.FactorToken
	}
	if pin != "" {
		asked := e.asked[handle(t, d)]
		p.PINSalt = [16]byte{5}
		x := auth.PINExchange{Seed: asked.PINSeed, ServerSalt: asked.PINSalt, ClientSalt: p.PINSalt}
		var err error
		if p.PINHash, err = x.Proof(e.digits(t, pin)); err != nil {
			t.Fatal(err)
		}
	}
	p.TokenLen = uint8(copy(p.Token[:], e.digits(t, token)))
}

func TestAttempt_WipesTheFactorsItHeld(t *testing.T) {
	e := newScenario(t)
	secret := []byte{1, 2, 3}
	s := &session{}
	a := e.core.sessions.beginAttempt(s)
	f := factor.New(&storage.Account{PIN: "1234", TOTPSecret: secret})
	f.TakeTyped("1")
	a.factor = f
	e.core.sessions.endAttempt(s)
	mustBeZero(t, "the factor", *f)
	if slices.Max(secret) != 0 || a.factor != nil {
		t.Error("something is left")
	}
}

func TestCore_PadIsNewForEachConnection(t *testing.T) {
	e := newScenario(t)
	e.core.pool.randoms = nil
	var asked []codec.Challenge
	for i := range 2 {
		conn := codec.NewConn(0, i+1, 1)
		e.core.Step(FromPool(&auth.Result{Kind: auth.JobMint, Random: [auth.RandomSize]byte{15: byte(i), 16: byte(i), 19: 7}}))
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
		name := codec.Name{'A'}
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: codec.Hello{Name: name, Build: 5875}}))
		e.core.Step(FromStore(&storage.Result{Kind: storage.OpGet, Tag: uint64(conn), Account: &storage.Account{PIN: "1234", Grunt: storage.GruntVerifier{Set: true}}}))
		asked = append(asked, e.asked[conn])
	}
	for i, ch := range asked {
		if ch.Factors != codec.FactorPIN || ch.PINSalt != [16]byte{15: byte(i)} || ch.PINSeed != 7<<24+uint32(i) {
			t.Errorf("challenge %d: %+v", i, ch)
		}
	}
}

func TestCore_DecoysAreTheShareOfUnknownNames(t *testing.T) {
	e := newScenario(t)
	for _, share := range []int{0, 1, 30, 100} {
		e.core.options.FactorDecoys = share
		n := 0
		for i := range 2000 {
			name, err := storage.FoldName(fmt.Appendf(nil, "NAME%d", i))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, asks := e.core.decoys.credentials(name); asks {
				n++
			}
		}
		// Four standard deviations of 2000 draws are below 90.
		if off := n - 20*share; off > 90 || off < -90 || share%100 == 0 && off != 0 {
			t.Errorf("%d of 2000 at %d %%", n, share)
		}
	}
}

// transcript is a recorded login with its secrets.
type transcript struct {
	ID      string
	Build   uint16
	Secrets struct {
		User, Salt, V, PIN string
		TOTP               string `json:"totp_secret_base32"`
		Time               int64  `json:"unix_time"`
	}
	Steps []struct {
		Direction, Message, Hex string
		Fields                  struct {
			PINSeed uint32 `json:"pin_grid_seed"`
			PINSalt string `json:"pin_salt"`
			M2      string
		}
	}
}

func mustTranscripts(t *testing.T, ids ...string) (all []transcript) {
	t.Helper()
	file, err := os.Open("../codec/grunt/testdata/derived_transcripts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one struct{ ID string }
		if json.Unmarshal(lines.Bytes(), &one) != nil || !slices.Contains(ids, one.ID) {
			continue
		}
		var r transcript
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) != len(ids) {
		t.Fatalf("%d transcripts of %d", len(all), len(ids))
	}
	return all
}

func mustHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wire is an Outbox that encodes what it is sent.
type wire struct {
	quiet
	session *grunt.Session
	sent    []byte
}

func (w *wire) Send(_ codec.Conn, r *codec.Reply) bool {
	var err error
	w.sent, err = w.session.Append(nil, r)
	return err == nil
}

func (w *wire) SendLast(conn codec.Conn, r *codec.Reply) bool { return w.Send(conn, r) }

// TestTranscripts_SecondFactors plays recorded logins with a PIN, with a code on
// the PIN pad and with a token through codec and logic. All the server's bytes
// are as recorded but its public key, whose secret is longer than ours are.
func TestTranscripts_SecondFactors(t *testing.T) {
	for _, r := range mustTranscripts(t, "transcript-11", "transcript-13", "transcript-15") {
		t.Run(r.ID, func(t *testing.T) { playTranscript(t, &r) })
	}
}

func playTranscript(t *testing.T, r *transcript) {
	out := &wire{session: grunt.New(grunt.Options{}).Open()}
	options := newScenario(t).options
	core, err := NewCore(options, Ports{Out: out, Store: quietStore{}, Prover: quietProver{}, Worlds: worlds.NewList(worlds.EncodeGrunt)})
	if err != nil {
		t.Fatal(err)
	}
	core.Step(FromClock(1000, max(r.Secrets.Time, 1)*1000))
	conn := codec.NewConn(0, 1, 1)
	core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
	hear := func(step int) {
		m := codec.Message{Conn: conn}
		if _, err := out.session.Decode(mustHex(t, r.Steps[step].Hex), &m); err != nil {
			t.Fatal(err)
		}
		core.Step(FromClient(&m))
	}

	asked := &r.Steps[1].Fields
	mint := auth.Result{Kind: auth.JobMint, Ephemeral: srp6.NewEphemeral(&[srp6.SecretSize]byte{1})}
	copy(mint.Random[:], mustHex(t, asked.PINSalt))
	for i := range 4 {
		mint.Random[16+i] = byte(asked.PINSeed >> (8 * i))
	}
	core.Step(FromPool(&mint))
	hear(0)
	core.Step(FromStore(&storage.Result{Kind: storage.OpGet, Tag: uint64(conn), Account: recordedAccount(t, r)}))
	want := mustHex(t, r.Steps[1].Hex)
	copy(want[3:35], out.sent[3:35])
	if string(out.sent) != string(want) {
		t.Errorf("challenge\n%x, want\n%x", out.sent, want)
	}

	hear(2)
	verdict := auth.Result{Kind: auth.JobProve, Tag: uint64(conn)}
	copy(verdict.M2[:], mustHex(t, r.Steps[3].Fields.M2))
	core.Step(FromPool(&verdict))
	if got := hex.EncodeToString(out.sent); got != r.Steps[3].Hex {
		t.Errorf("answer %s, want %s", got, r.Steps[3].Hex)
	}
}

func recordedAccount(t *testing.T, r *transcript) *storage.Account {
	t.Helper()
	a := &storage.Account{PIN: r.Secrets.PIN, Grunt: storage.GruntVerifier{Set: true}}
	copy(a.Grunt.Salt[:], mustHex(t, r.Secrets.Salt))
	copy(a.Grunt.Verifier[:], mustHex(t, r.Secrets.V))
	if r.Secrets.TOTP != "" {
		// The recording notes the code as PIN; the account has none.
		a.PIN, a.TOTPSecret = "", mustTOTP(t, r.Secrets.TOTP)
	}
	return a
}

func TestAttempt_WipesWhatANativeSignInHeld(t *testing.T) {
	e := newScenario(t)
	s := &session{}
	a := e.core.sessions.beginAttempt(s)
	x := &auth.NativeExchange{}
	x.Keys.Session, x.M2 = [32]byte{1}, [32]byte{2}
	n := &nativeAttempt{exchange: x, proof: [32]byte{3}, next: [32]byte{4}}
	n.keys.Session = [32]byte{5}
	a.native = n
	e.core.sessions.endAttempt(s)
	if x.Keys.Session != [32]byte{} || n.keys.Session != [32]byte{} || n.proof != [32]byte{} || n.exchange != nil || a.native != nil {
		t.Error("something is left")
	}
}
