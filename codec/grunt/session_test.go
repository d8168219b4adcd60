package grunt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"gatepass/codec"
)

// mustHex reads hex digits.
func mustHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustDecode decodes exactly b.
func mustDecode(t testing.TB, s *Session, b []byte) codec.Message {
	t.Helper()
	var m codec.Message
	if n, err := s.Decode(b, &m); err != nil || n != len(b) {
		t.Fatalf("decoded %d of %d bytes of %x: %v", n, len(b), b, err)
	}
	return m
}

// mustAppend encodes one reply.
func mustAppend(t testing.TB, s *Session, r *codec.Reply) []byte {
	t.Helper()
	b, err := s.Append(nil, r)
	if err != nil {
		t.Fatalf("%v: %v", r.Kind, err)
	}
	return b
}

// mustViolate decodes b, which must be a violation.
func mustViolate(t testing.TB, s *Session, b []byte) *codec.Violation {
	t.Helper()
	var m codec.Message
	n, err := s.Decode(b, &m)
	v, ok := err.(*codec.Violation)
	if !ok || n != 0 {
		t.Fatalf("%x: %d bytes, %v, want a violation", b, n, err)
	}
	if m != (codec.Message{}) {
		t.Errorf("%x: message touched: %+v", b, m)
	}
	return v
}

// challengeBytes returns a challenge of a client of the given build.
func challengeBytes(t testing.TB, kind codec.Kind, build Build) []byte {
	t.Helper()
	h := codec.Hello{
		Build: uint16(build), Version: 3, Platform: codec.Tag{'x', '8', '6'},
		System: codec.Tag{'W', 'i', 'n'}, Locale: codec.Tag{'e', 'n', 'G', 'B'}, TimeZone: -60,
	}
	h.Name, _ = codec.NameOf("PLAYER")
	b, err := AppendChallenge(nil, kind, &h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// proofBytes returns a proof with the given second factors.
func proofBytes(t testing.TB, l Layout, f codec.Factors) []byte {
	t.Helper()
	p := Proof{Proof: codec.Proof{A: [32]byte{1}, M1: [20]byte{2}, CRCHash: [20]byte{3}, Factors: f}}
	if f&codec.FactorPIN != 0 {
		p.PINSalt, p.PINHash = [16]byte{4}, [20]byte{5}
	}
	if f&codec.FactorMatrix != 0 {
		p.Matrix = [20]byte{6}
	}
	if f&codec.FactorToken != 0 {
		p.TokenLen = uint8(copy(p.Token[:], "123456"))
	}
	b, err := AppendProof(nil, l, &p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustOpen opens a session and takes it past a challenge, or, if proven, also past a proof.
func mustOpen(t testing.TB, build Build, proven bool) *Session {
	t.Helper()
	s := New(Options{}).Open()
	mustDecode(t, s, challengeBytes(t, codec.KindLogonChallenge, build))
	if proven {
		mustDecode(t, s, proofBytes(t, s.Layout(), 0))
	}
	return s
}

func TestSession_FramingCases(t *testing.T) {
	type framing struct {
		ID, State, Verdict, Why string
		Hex                     hexBytes
		Consumed                int
	}
	open := map[string]func() *Session{
		"challenge":   func() *Session { return New(Options{}).Open() },
		"logon_proof": func() *Session { return mustOpen(t, Build1121, false) },
		"reconnect_proof": func() *Session {
			s := New(Options{}).Open()
			mustDecode(t, s, challengeBytes(t, codec.KindReconnectChallenge, Build1121))
			return s
		},
		"authenticated": func() *Session { return mustOpen(t, Build1121, true) },
		"patch": func() *Session {
			s := mustOpen(t, Build1121, true)
			mustAppend(t, s, &codec.Reply{Kind: codec.ReplyTransferOffer})
			return s
		},
	}
	cases := eachLine[framing](t, "derived_framing_cases.jsonl")
	if len(cases) != 17 {
		t.Errorf("%d cases, README.md has 17", len(cases))
	}
	for _, c := range cases {
		start, ok := open[c.State]
		if !ok {
			t.Errorf("%s: there is no state %q", c.ID, c.State)
			continue
		}
		var m codec.Message
		n, err := start().Decode(c.Hex, &m)
		verdict := "complete"
		if v := (*codec.Violation)(nil); errors.As(err, &v) {
			verdict = "reject"
		} else if err == codec.ErrShort {
			verdict = "incomplete"
		}
		if verdict != c.Verdict || n != c.Consumed {
			t.Errorf("%s (%s): %s, %d bytes, want %s, %d", c.ID, c.Why, verdict, n, c.Verdict, c.Consumed)
		}
	}
}

func TestSession_Transcripts(t *testing.T) {
	type transcript struct {
		ID, Title string
		Build     Build
		Steps     []row
	}
	all := eachLine[transcript](t, "derived_transcripts.jsonl")
	if len(all) != 12 {
		t.Errorf("%d transcripts, README.md has 12", len(all))
	}
	transfers := eachLine[transcript](t, "derived_transfers.jsonl")
	if len(transfers) != 5 {
		t.Errorf("%d transfers, README.md has 5", len(transfers))
	}
	all = append(all, transfers...)
	for _, tr := range all {
		t.Run(tr.ID, func(t *testing.T) {
			s := New(Options{}).Open()
			for i := range tr.Steps {
				playStep(t, s, &tr.Steps[i], tr.Build)
			}
			if s.Build() != tr.Build {
				t.Errorf("%s: build %d, want %d", tr.Title, s.Build(), tr.Build)
			}
		})
	}
}

// playStep decodes the client's message and encodes the answer.
func playStep(t *testing.T, s *Session, step *row, build Build) {
	t.Helper()
	w := mustWire(t, step)
	if step.Direction == "client->server" {
		m := mustDecode(t, s, step.Hex)
		if got, want := sayingOf(&m), w.want(&step.Fields, LayoutOf(build)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\n want %+v", step.Message, got, want)
		}
		return
	}
	var got []byte
	var err error
	switch v := w.want(&step.Fields, LayoutOf(build)).(type) {
	case codec.Reply:
		got, err = s.Append(nil, &v)
	case codec.TransferOffer:
		got, err = s.Append(nil, &codec.Reply{Kind: codec.ReplyTransferOffer, Offer: v})
	case []byte:
		got = mustFrameFile(t, s, v)
	case []Realm:
		got, err = AppendRealmList(nil, s.Build(), v)
	}
	if err != nil || !bytes.Equal(got, step.Hex) {
		t.Errorf("%s: wrote %x, %v\n want %x", step.Message, got, err, step.Hex)
	}
}

// sayingOf returns a message as the parser of its wire would return it.
func sayingOf(m *codec.Message) any {
	switch m.Kind {
	case codec.KindLogonChallenge, codec.KindReconnectChallenge:
		return hello{m.Kind, m.Hello}
	case codec.KindLogonProof:
		return Proof{Proof: m.Proof}
	case codec.KindReconnectProof:
		return m.Reconnect
	case codec.KindTransferAccept, codec.KindTransferResume, codec.KindTransferCancel:
		return TransferAnswer{Kind: m.Kind, Offset: m.Number}
	}
	return nil
}

func TestSession_Decode_FillsOnlyItsFields(t *testing.T) {
	dirty := codec.Message{Conn: 7, Reason: codec.CloseSlow, Number: 9}
	dirty.Proof.Token, dirty.Proof.TokenLen = [codec.MaxToken]byte{1, 2, 3}, 3
	dirty.Hello.Name = codec.Name{'O', 'L', 'D', 'E', 'R'}
	s := New(Options{}).Open()

	m, want := dirty, dirty
	b := challengeBytes(t, codec.KindLogonChallenge, Build335)
	_, want.Hello, _, _ = ParseChallenge(b)
	want.Kind = codec.KindLogonChallenge
	if _, err := s.Decode(b, &m); err != nil || m != want {
		t.Errorf("challenge: %v, %+v", err, m)
	}

	m, want = dirty, dirty
	b = proofBytes(t, Layout8, codec.FactorPIN)
	p, _, _ := ParseProof(b, Layout8)
	want.Kind, want.Proof = codec.KindLogonProof, p.Proof
	if _, err := s.Decode(b, &m); err != nil || m != want {
		t.Errorf("proof: %v, %+v", err, m)
	}

	m, want = dirty, dirty
	want.Kind = codec.KindWorldList
	if _, err := s.Decode(AppendRealmListRequest(nil), &m); err != nil || m != want {
		t.Errorf("list: %v, %+v", err, m)
	}

	m, want = dirty, dirty
	want.Kind, want.Number = codec.KindTransferResume, 1<<40
	if _, err := s.Decode(AppendTransferResume(nil, 1<<40), &m); err != nil || m != want {
		t.Errorf("resume: %v, %+v", err, m)
	}
}

func TestSession_Decode_CopiesOut(t *testing.T) {
	s := New(Options{}).Open()
	for _, b := range [][]byte{
		challengeBytes(t, codec.KindLogonChallenge, Build335),
		proofBytes(t, Layout8, codec.FactorPIN|codec.FactorMatrix|codec.FactorToken),
		AppendTransferResume(nil, 5),
	} {
		m := mustDecode(t, s, b)
		before := m
		for i := range b {
			b[i] = 0xdb
		}
		if m != before {
			t.Errorf("%v: changed with its buffer", m.Kind)
		}
	}
}

func TestSession_Decode_EachPhaseTakesItsOpcodes(t *testing.T) {
	phases := []struct {
		name  string
		open  func() *Session
		takes []byte
	}{
		{"start", func() *Session { return New(Options{}).Open() }, []byte{0x00, 0x02}},
		{"proof", func() *Session { return mustOpen(t, Build335, false) }, []byte{0x01}},
		{"proven", func() *Session { return mustOpen(t, Build335, true) }, []byte{0x04, 0x10, 0x32, 0x33, 0x34}},
		{"offered", func() *Session {
			s := mustOpen(t, Build335, true)
			mustAppend(t, s, &codec.Reply{Kind: codec.ReplyTransferOffer})
			return s
		}, []byte{0x32, 0x33, 0x34}},
		{"sending", func() *Session { return mustOffer(t, AppendTransferAccept(nil)) }, []byte{0x34}},
		{"resumed", func() *Session { return mustOffer(t, AppendTransferResume(nil, 9)) }, []byte{0x34}},
		{"cancelled while sending", func() *Session {
			s := mustOffer(t, AppendTransferAccept(nil))
			mustDecode(t, s, AppendTransferCancel(nil))
			return s
		}, []byte{0x34}},
		{"announced", func() *Session {
			s := mustOpen(t, Build335, true)
			mustAppend(t, s, refusalOf(codec.ReplyLogonProof, codec.ResultVersionUpdate))
			return s
		}, nil},
		{"over", func() *Session {
			s := mustOpen(t, Build335, true)
			mustAppend(t, s, &codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultBanned})
			return s
		}, nil},
	}
	for _, p := range phases {
		for op := range 256 {
			var m codec.Message
			_, err := p.open().Decode([]byte{byte(op)}, &m)
			var v *codec.Violation
			refused := errors.As(err, &v)
			if want := !bytes.Contains(p.takes, []byte{byte(op)}); refused != want {
				t.Errorf("%s, opcode %02x: %v", p.name, op, err)
			}
			if refused && (v.Message != byte(op) || v.Result != codec.ResultOK) {
				t.Errorf("%s, opcode %02x: %+v", p.name, op, v)
			}
		}
	}
}

func TestSession_Decode_SecondChallengeIsViolation(t *testing.T) {
	for _, kind := range []codec.Kind{codec.KindLogonChallenge, codec.KindReconnectChallenge} {
		s := mustOpen(t, Build335, false)
		mustViolate(t, s, challengeBytes(t, kind, Build335))
		mustDecode(t, s, proofBytes(t, Layout8, 0)) // the phase is unchanged
		mustViolate(t, s, challengeBytes(t, kind, Build335))
	}
}

func TestSession_Decode_LongestMessages(t *testing.T) {
	c := New(Options{MaxSurvey: 40})
	all := proofBytes(t, Layout8, codec.FactorPIN|codec.FactorMatrix)
	p, _, _ := ParseProof(all, Layout8)
	p.Factors, p.TokenLen = p.Factors|codec.FactorToken, codec.MaxToken
	longest, err := AppendProof(nil, Layout8, &p)
	if err != nil || len(longest) != c.MaxMessage() {
		t.Fatalf("longest proof has %d bytes, MaxMessage is %d: %v", len(longest), c.MaxMessage(), err)
	}
	s := c.Open()
	mustDecode(t, s, challengeBytes(t, codec.KindLogonChallenge, Build335))
	mustDecode(t, s, longest)
	answer, _ := AppendSurveyResult(nil, &SurveyResult{Data: make([]byte, 40)})
	mustDecode(t, s, answer)
	answer, _ = AppendSurveyResult(nil, &SurveyResult{Data: make([]byte, 41)})
	mustViolate(t, s, answer[:surveyHead]) // at its size, not when it is whole
	if got := New(Options{}).MaxMessage(); got != surveyHead+DefaultMaxSurvey {
		t.Errorf("MaxMessage %d", got)
	}
}

func TestSession_Append_NeedsABuildForSuccess(t *testing.T) {
	for kind := codec.ReplyLogonChallenge; kind < codec.ReplyKindCount; kind++ {
		s := New(Options{}).Open()
		if out, err := s.Append([]byte("x"), &codec.Reply{Kind: kind}); err != ErrNoBuild || string(out) != "x" {
			t.Errorf("%v: %q, %v", kind, out, err)
		}
	}
	if out, err := New(Options{}).Open().Append(nil, &codec.Reply{}); err != nil || len(out) != 0 {
		t.Errorf("no reply: %x, %v", out, err)
	}
}

func TestSession_Append_PanicsOnAnUnknownReply(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an impossible reply was encoded")
		}
	}()
	mustAppend(t, mustOpen(t, Build335, true), &codec.Reply{Kind: codec.ReplyKindCount})
}

func TestSession_AppendViolation(t *testing.T) {
	broken := func(b []byte, at int, to byte) []byte { b[at] = to; return b }
	start := func(Build) *Session { return New(Options{}).Open() }
	challenged := func(b Build) *Session { return mustOpen(t, b, false) }
	reconnecting := func(b Build) *Session {
		s := New(Options{}).Open()
		mustDecode(t, s, challengeBytes(t, codec.KindReconnectChallenge, b))
		return s
	}
	logon := func(b Build) []byte { return challengeBytes(t, codec.KindLogonChallenge, b) }
	reconnect := func(b Build) []byte { return challengeBytes(t, codec.KindReconnectChallenge, b) }
	cases := []struct {
		name  string
		open  func(Build) *Session
		build Build
		bad   []byte
		told  string
	}{
		{"size too small", start, Build335, broken(logon(Build335), 2, 30), "000004"},
		{"size too large", start, Build335, broken(logon(Build335), 2, 47), "000004"},
		{"size beyond a byte", start, Build335, broken(logon(Build335), 3, 1), "000004"},
		{"name length", start, Build335, broken(logon(Build335), 33, 5), "000004"},
		{"zero in the name", start, Build335, broken(logon(Build335), 36, 0), "000004"},
		{"reconnect size", start, Build335, broken(reconnect(Build335), 2, 0), "0204"},
		{"reconnect name", start, Build335, broken(reconnect(Build335), 39, 0), "0204"},
		{"telemetry, 1.x", challenged, Build1121, broken(proofBytes(t, Layout3, 0), 73, 1), "0104"},
		{"telemetry, 3.x", challenged, Build335, broken(proofBytes(t, Layout8, 0), 73, 1), "01040300"},
		{"unknown flag", challenged, Build335, broken(proofBytes(t, Layout8, 0), 74, 8), "01040300"},
		{"flag of a later layout", challenged, Build1121, broken(proofBytes(t, Layout3, 0), 74, 2), "0104"},
		{"token length", challenged, Build335, broken(proofBytes(t, Layout8, codec.FactorToken), 75, 17), "01040300"},
		{"reconnect telemetry, 1.x", reconnecting, Build1121, broken(AppendReconnectProof(nil, &codec.Reconnect{}), 57, 1), "0304"},
		{"reconnect telemetry, 3.x", reconnecting, Build335, broken(AppendReconnectProof(nil, &codec.Reconnect{}), 57, 1), "03040000"},
		{"opcode", start, Build335, []byte("GET / HTTP/1.1"), ""},
		{"opcode of another phase", challenged, Build335, logon(Build335), ""},
	}
	for _, c := range cases {
		s := c.open(c.build)
		v := mustViolate(t, s, c.bad)
		if got := s.AppendViolation(nil, v); !bytes.Equal(got, mustHex(t, c.told)) {
			t.Errorf("%s: told %x, want %s", c.name, got, c.told)
		}
	}
	other := &codec.Violation{Message: opRealmList, Result: codec.ResultBusy}
	if got := start(0).AppendViolation(nil, other); len(got) != 0 {
		t.Errorf("a message without an answer got %x", got)
	}
}

// An invalid message is refused at the byte that shows it, before the rest arrives.
func TestSession_Decode_JudgesAtTheFirstBadByte(t *testing.T) {
	challenge := challengeBytes(t, codec.KindLogonChallenge, Build335)
	proof := proofBytes(t, Layout8, codec.FactorToken)
	cases := []struct {
		what  string
		phase phase
		b     []byte // up to the bad byte, or to the end of a bad size field
		at    int
		to    byte
	}{
		{"opcode", phaseStart, challenge[:1], 0, 3},
		{"size 30", phaseStart, challenge[:4], 2, 30},
		{"size 47", phaseStart, challenge[:4], 2, 47},
		{"name length", phaseStart, challenge[:34], 33, 7},
		{"telemetry count", phaseProof, proof[:74], 73, 1},
		{"security flags", phaseProof, proof[:75], 74, 8},
		{"token length", phaseProof, proof[:76], 75, 17},
	}
	for _, c := range cases {
		s := New(Options{}).Open()
		if c.phase == phaseProof {
			s = mustOpen(t, Build335, false)
		}
		b := bytes.Clone(c.b)
		b[c.at] = c.to
		var m codec.Message
		if n, err := s.Decode(b, &m); n != 0 || !errors.As(err, new(*codec.Violation)) {
			t.Errorf("%s: %d, %v", c.what, n, err)
		}
	}
}

func TestSession_Allocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	challenge := challengeBytes(t, codec.KindLogonChallenge, Build335)
	proof := proofBytes(t, Layout8, codec.FactorPIN|codec.FactorMatrix|codec.FactorToken)
	list := AppendRealmListRequest(nil)
	again := challengeBytes(t, codec.KindReconnectChallenge, Build335)
	rproof := AppendReconnectProof(nil, &codec.Reconnect{})
	bad := []byte{0x01}
	c := New(Options{})
	buf := make([]byte, 0, 512)
	var s Session
	var m codec.Message
	run := func(b []byte) {
		if _, err := s.Decode(b, &m); err != nil {
			t.Fatal(err)
		}
	}
	say := func(r *codec.Reply) {
		var err error
		if buf, err = s.Append(buf[:0], r); err != nil {
			t.Fatal(err)
		}
	}
	replies := [codec.ReplyKindCount]codec.Reply{}
	for i := range replies {
		replies[i].Kind = codec.ReplyKind(i)
	}
	refusal := codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultBanned}
	if n := testing.AllocsPerRun(100, func() {
		s = Session{codec: c}
		_, err := s.Decode(bad, &m)
		buf = s.AppendViolation(buf[:0], err.(*codec.Violation))
		run(challenge)
		say(&replies[codec.ReplyLogonChallenge])
		if _, err := s.Decode(proof[:9], &m); err != codec.ErrShort {
			t.Fatal(err)
		}
		run(proof)
		say(&replies[codec.ReplyLogonProof])
		run(list)
		say(&replies[codec.ReplyTransferOffer])
		say(&refusal)
		s = Session{codec: c}
		run(again)
		say(&replies[codec.ReplyReconnectChallenge])
		run(rproof)
		say(&replies[codec.ReplyReconnectProof])
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
