package native

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"google.golang.org/protobuf/proto"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

func TestSession_SignIn_WhatIsRefused(t *testing.T) {
	with := func(change func(in *pb.SignIn)) []byte {
		in := signIn()
		change(in)
		return mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: in}})
	}
	for name, c := range map[string]struct {
		body []byte
		want codec.Result
	}{
		"version 0":        {with(func(in *pb.SignIn) { in.Version = 0 }), codec.ResultVersionInvalid},
		"version 2":        {with(func(in *pb.SignIn) { in.Version = 2 }), codec.ResultVersionInvalid},
		"version first":    {with(func(in *pb.SignIn) { in.Version, in.Account, in.Nonce = 2, "", nil }), codec.ResultVersionInvalid},
		"no name":          {with(func(in *pb.SignIn) { in.Account = "" }), codec.ResultBadCredentials},
		"long name":        {with(func(in *pb.SignIn) { in.Account = "12345678901234567" }), codec.ResultBadCredentials},
		"zero in name":     {with(func(in *pb.SignIn) { in.Account = "a\x00b" }), codec.ResultBadCredentials},
		"no nonce":         {with(func(in *pb.SignIn) { in.Nonce = nil }), codec.ResultProtocol},
		"short nonce":      {with(func(in *pb.SignIn) { in.Nonce = in.Nonce[1:] }), codec.ResultProtocol},
		"long nonce":       {with(func(in *pb.SignIn) { in.Nonce = make([]byte, 33) }), codec.ResultProtocol},
		"platform":         {with(func(in *pb.SignIn) { in.Platform = "12345" }), codec.ResultProtocol},
		"system":           {with(func(in *pb.SignIn) { in.System = "12345" }), codec.ResultProtocol},
		"locale":           {with(func(in *pb.SignIn) { in.Locale = "12345" }), codec.ResultProtocol},
		"device":           {with(func(in *pb.SignIn) { in.Device = in.Device[1:] }), codec.ResultProtocol},
		"family":           {with(func(in *pb.SignIn) { in.TokenFamily = make([]byte, 17) }), codec.ResultProtocol},
		"not UTF-8":        {[]byte{0x0A, 3, 0x12, 1, 0xFF}, codec.ResultProtocol},
		"no body":          {[]byte{0x78, 1}, codec.ResultProtocol},
		"no known body":    {[]byte{0x82, 1, 0}, codec.ResultProtocol},
		"no protobuf":      {[]byte("GET / HTTP/1.1\r\n\r\n"), codec.ResultProtocol},
		"another first":    {mustMarshal(t, ping(1)), codec.ResultProtocol},
		"proof first":      {mustMarshal(t, passwordProof), codec.ResultProtocol},
		"group at the end": {[]byte{0x0B}, codec.ResultProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Options{}).Open()
			v := mustViolate(t, s, inClear(c.body))
			if v.Result != c.want || v.Message == SealViolation {
				t.Errorf("%+v, want %v", v, c.want)
			}
			told := s.AppendViolation(nil, v)
			want := &pb.ServerFrame{Body: &pb.ServerFrame_Refused{Refused: &pb.Refused{Result: pb.Result(results[c.want])}}}
			if !bytes.Equal(told, inClear(mustMarshal(t, want))) {
				t.Errorf("told %x", told)
			}
		})
	}
}

// A build number that no client can have becomes build 0, so the logic answers as for any
// wrong build.
func TestSession_SignIn_BuildsBeyondTheirRange(t *testing.T) {
	for said, want := range map[uint32]uint16{0: 0, 1: 1, 65535: 65535, 65536: 0, 1<<32 - 1: 0} {
		in := signIn()
		in.Build = said
		m := mustDecode(t, New(Options{}).Open(), inClear(mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: in}})))
		if m.Hello.Build != want {
			t.Errorf("%d is build %d", said, m.Hello.Build)
		}
	}
}

func TestSession_UnknownFieldsAreSkipped(t *testing.T) {
	body := mustMarshal(t, signInFrame())
	inner := append(bytes.Clone(body[2:]), 0xA8, 1, 7, 0xB2, 1, 2, 1, 2, 0xBB, 1, 0x08, 1, 0xBC, 1) // 21: number, 22: bytes, 23: group
	grown := append([]byte{0x0A}, byte(len(inner)))
	grown = append(append(grown, inner...), 0xC0, 0x0C, 1) // 200: number
	m := mustDecode(t, New(Options{}).Open(), inClear(grown))
	if m.Kind != codec.KindSignIn || m.Hello.Build != 12340 {
		t.Errorf("%+v", m)
	}
}

func signInFrame() *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: signIn()}}
}

func TestSession_OfSeveralBodiesTheLastCounts(t *testing.T) {
	s, send, _ := mustOpen(t)
	two := append(mustMarshal(t, ping(5)), mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{}}})...)
	if m := mustDecode(t, s, send.Seal(nil, two)); m.Kind != codec.KindSelectWorld || m.Number != 0 {
		t.Errorf("%+v", m)
	}
}

func TestSession_BoundsHoldAtTheHeader(t *testing.T) {
	open, _, _ := mustOpen(t)
	gate, _, _ := mustOpenGate(t)
	for _, c := range []struct {
		name string
		s    server
		most uint32
		byte byte
	}{
		{"start", New(Options{}).Open(), MaxFirstBody, 0},
		{"password", toPassword(t), MaxFirstBody, 0},
		{"gate", toPass(t), MaxFirstBody, 0},
		{"open", open, MaxLoginBody + SealSize, SealViolation},
		{"open gate", gate, MaxGateBody + SealSize, SealViolation},
	} {
		size := func(n uint32) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }
		var m codec.Message
		if _, err := c.s.Decode(size(c.most), &m); err != codec.ErrShort {
			t.Errorf("%s: %d bytes: %v", c.name, c.most, err)
		}
		for _, n := range []uint32{0, c.most + 1, 1 << 31, 1<<32 - 1} {
			if v := mustViolate(t, c.s, size(n)); v.Message != c.byte {
				t.Errorf("%s: %d bytes: %+v", c.name, n, v)
			}
		}
	}
}

func TestSession_LongestFramesFit(t *testing.T) {
	proof := &pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{PasswordProof: &pb.PasswordProof{
		PublicKey: make([]byte, codec.MaxGroup), Proof: make([]byte, 32)}}}
	if n := proto.Size(proof); n > MaxFirstBody {
		t.Errorf("a password proof has %d bytes", n)
	}
	s, send, _ := mustOpenGate(t)
	packet := func(n int) []byte {
		return mustMarshal(t, &pb.GateClientFrame{Body: &pb.GateClientFrame_Packet{Packet: &pb.GamePacket{Opcode: 65535, Body: make([]byte, n)}}})
	}
	frame := send.Seal(nil, packet(MaxPacket))
	if m := mustDecode(t, s, frame); len(m.Native.Body) != MaxPacket || len(frame) > NewGate(1).MaxMessage() {
		t.Errorf("%d bytes of %d", len(m.Native.Body), len(frame))
	}
	if v := mustViolate(t, s, send.Seal(nil, packet(MaxPacket+1))); v.Message != byte(fieldGatePacket) {
		t.Errorf("%+v", v)
	}
}

func TestSession_EverythingInItsTurn(t *testing.T) {
	greeted := New(Options{}).Open()
	mustDecode(t, greeted, inClear(mustMarshal(t, signInFrame())))
	gate := NewGate(testWorld).Open()
	for name, c := range map[string]struct {
		s     server
		frame proto.Message
	}{
		"nothing before the challenge":   {greeted, passwordProof},
		"no second sign-in":              {toPassword(t), signInFrame()},
		"no token for a password":        {toPassword(t), &pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: make([]byte, 112)}}}},
		"no ping in the clear":           {toPassword(t), ping(1)},
		"no pass before the challenge":   {gate, gateHello},
		"no ping in the clear at a gate": {toPass(t), &pb.GateClientFrame{Body: &pb.GateClientFrame_Ping{Ping: &pb.Ping{}}}},
	} {
		if v := mustViolate(t, c.s, inClear(mustMarshal(t, c.frame))); v != outOfTurn {
			t.Errorf("%s: %v", name, v)
		}
	}
	s, send, _ := mustOpen(t)
	if v := mustViolate(t, s, send.Seal(nil, mustMarshal(t, signInFrame()))); v != outOfTurn {
		t.Errorf("sign-in under seal: %v", v)
	}
	g, sendGate, _ := mustOpenGate(t)
	if v := mustViolate(t, g, sendGate.Seal(nil, mustMarshal(t, gateHello))); v != outOfTurn {
		t.Errorf("pass under seal: %v", v)
	}
}

func TestSession_NothingIsReadWhileTheProofIsLookedAt(t *testing.T) {
	s := toProving(t)
	var m codec.Message
	if n, err := s.Decode([]byte("anything, of any length"), &m); n != 0 || err != codec.ErrShort {
		t.Errorf("%d, %v", n, err)
	}
}

func TestSession_NothingAfterTheEnd(t *testing.T) {
	for _, kind := range []codec.ReplyKind{codec.ReplyRefused, codec.ReplyKicked} {
		s, send, _ := mustOpen(t)
		mustAppend(t, s, codec.Reply{Kind: kind, Result: codec.ResultKicked})
		var m codec.Message
		if n, err := s.Decode(send.Seal(nil, mustMarshal(t, ping(1))), &m); n != 0 || err != codec.ErrShort {
			t.Errorf("%v: %d, %v", kind, n, err)
		}
		if b, err := s.Append(nil, &codec.Reply{Kind: codec.ReplyPong}); len(b) != 0 || err != ErrPhase {
			t.Errorf("%v: %x, %v", kind, b, err)
		}
		if b := s.AppendViolation(nil, outOfTurn); len(b) != 0 {
			t.Errorf("%v: %x", kind, b)
		}
	}
}

// Before there is a channel, a client that is disconnected gets a refusal.
func TestSession_KickedInTheClear(t *testing.T) {
	refused := inClear(mustMarshal(t, &pb.ServerFrame{Body: &pb.ServerFrame_Refused{Refused: &pb.Refused{Result: pb.Result_RESULT_IDLE}}}))
	for name, s := range map[string]server{"start": New(Options{}).Open(), "password": toPassword(t), "proving": toProving(t)} {
		if got := mustAppend(t, s, codec.Reply{Kind: codec.ReplyKicked, Result: codec.ResultIdle}); !bytes.Equal(got, refused) {
			t.Errorf("%s: %x", name, got)
		}
	}
	atGate := inClear(mustMarshal(t, &pb.GateServerFrame{Body: &pb.GateServerFrame_Refused{Refused: &pb.Refused{Result: pb.Result_RESULT_IDLE}}}))
	if got := mustAppend(t, toPass(t), codec.Reply{Kind: codec.ReplyKicked, Result: codec.ResultIdle}); !bytes.Equal(got, atGate) {
		t.Errorf("gate: %x", got)
	}
}

func TestSession_Append_OnlyInItsTurn(t *testing.T) {
	open, _, _ := mustOpen(t)
	over := New(Options{}).Open()
	mustAppend(t, over, codec.Reply{Kind: codec.ReplyRefused})
	for _, c := range []struct {
		s    server
		deny []codec.ReplyKind
	}{
		{New(Options{}).Open(), []codec.ReplyKind{codec.ReplyPasswordChallenge, codec.ReplyTokenChallenge, codec.ReplyAccepted, codec.ReplyNotice}},
		{toPassword(t), []codec.ReplyKind{codec.ReplyPasswordChallenge, codec.ReplyAccepted, codec.ReplyGoingAway, codec.ReplyPong}},
		{toProving(t), []codec.ReplyKind{codec.ReplyPasswordChallenge, codec.ReplyWelcome}},
		{open, []codec.ReplyKind{codec.ReplyPasswordChallenge, codec.ReplyTokenChallenge, codec.ReplyAccepted}},
		{over, []codec.ReplyKind{codec.ReplyPasswordChallenge, codec.ReplyAccepted, codec.ReplyRefused, codec.ReplyKicked, codec.ReplyPong}},
		{NewGate(1).Open(), []codec.ReplyKind{codec.ReplyGateAccepted, codec.ReplyEntered}},
		{toPass(t), []codec.ReplyKind{codec.ReplyGateChallenge, codec.ReplyGateAccepted, codec.ReplyQueuePosition}},
	} {
		for _, kind := range c.deny {
			r := codec.Reply{Kind: kind, Native: &codec.NativeReply{Keys: testKeys}}
			if got, err := c.s.Append([]byte("before"), &r); err != ErrPhase || string(got) != "before" {
				t.Errorf("%v %v: %q, %v", c.s, kind, got, err)
			}
			if r.Native.Keys != testKeys {
				t.Errorf("%v: keys taken", kind)
			}
		}
		if got, err := c.s.Append(nil, &codec.Reply{}); len(got) != 0 || err != nil {
			t.Errorf("no reply: %x, %v", got, err)
		}
		if c.s != server(open) {
			if got, err := c.s.AppendFrame([]byte("before"), []byte{1}); err != ErrPhase || string(got) != "before" {
				t.Errorf("%v: frame %q, %v", c.s, got, err)
			}
		}
	}
}

func TestSession_Append_BoundsOfReplies(t *testing.T) {
	s, _, receive := mustOpen(t)
	for _, r := range []codec.Reply{{Kind: codec.ReplyNotice, Native: &codec.NativeReply{Text: strings.Repeat("x", MaxServerBody)}}} {
		if got, err := s.Append([]byte("before"), &r); err != ErrBody || string(got) != "before" {
			t.Errorf("%v: %d bytes, %v", r.Kind, len(got), err)
		}
	}
	if got, err := s.AppendFrame([]byte("before"), make([]byte, MaxServerBody+1)); err != ErrBody || string(got) != "before" {
		t.Errorf("frame: %d bytes, %v", len(got), err)
	}
	frame, err := s.AppendFrame(nil, make([]byte, MaxServerBody))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := receive.Open(frame); err != nil || len(body) != MaxServerBody {
		t.Errorf("%d bytes, %v: what was refused must not count as sealed", len(body), err)
	}
	g, _, _ := mustOpenGate(t)
	if _, err := g.Append(nil, &codec.Reply{Kind: codec.ReplyGamePacket, Native: &codec.NativeReply{Body: make([]byte, MaxReplyPacket+1)}}); err != ErrBody {
		t.Error(err)
	}
	if _, err := g.Append(nil, &codec.Reply{Kind: codec.ReplyGamePacket, Native: &codec.NativeReply{Body: make([]byte, MaxReplyPacket)}}); err != nil {
		t.Error(err)
	}
}

func TestSession_Append_OfAnotherProtocolPanics(t *testing.T) {
	open, _, _ := mustOpen(t)
	gate, _, _ := mustOpenGate(t)
	for kind, s := range map[codec.ReplyKind]server{codec.ReplyLogonProof: open, codec.ReplyWelcome: gate} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v: no panic", kind)
				}
			}()
			_, _ = s.Append(nil, &codec.Reply{Kind: kind, Native: &codec.NativeReply{}})
		}()
	}
}

func TestSession_Append_NumbersThatDoNotFitAreCutToTheMost(t *testing.T) {
	s, _, receive := mustOpen(t)
	body, err := receive.Open(mustAppend(t, s, codec.Reply{Kind: codec.ReplyGoingAway, Number: 1 << 40}))
	var f pb.ServerFrame
	if err != nil || proto.Unmarshal(body, &f) != nil || f.GetGoingAway().GetReconnectAfterMs() != 1<<32-1 {
		t.Errorf("%x, %v", body, err)
	}
}

func TestSession_AcceptedTakesTheKeysAndWipesThem(t *testing.T) {
	s := toProving(t)
	w := &codec.NativeReply{Keys: testKeys}
	clear := mustAppend(t, s, codec.Reply{Kind: codec.ReplyAccepted, Native: w})
	if w.Keys != (codec.ChannelKeys{}) {
		t.Error("keys are left in the reply")
	}
	var f pb.ServerFrame
	if err := proto.Unmarshal(clear[HeaderSize:], &f); err != nil || f.GetAccepted() == nil {
		t.Errorf("Accepted is not in the clear: %v", err)
	}
}

func TestSession_AppendFrame_IsSealedForEach(t *testing.T) {
	worlds, _ := someWorlds()
	shared := AppendWorldSnapshot(nil, 1, false, worlds)
	before := bytes.Clone(shared)
	for range 2 {
		s, _, receive := mustOpen(t)
		for range 2 {
			frame, err := s.AppendFrame([]byte("before"), shared)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := receive.Open(frame[6:]); err != nil || !bytes.Equal(body, before) {
				t.Errorf("%x, %v", body, err)
			}
		}
	}
	if !bytes.Equal(shared, before) {
		t.Error("what is shared was changed")
	}
}

func TestWorlds_TheLongestListFits(t *testing.T) {
	worlds := make([]World, 255)
	removed := make([]uint8, 255)
	for i := range worlds {
		worlds[i] = World{ID: 255, Name: strings.Repeat("n", 64), Address: strings.Repeat("a", 128), Kind: WorldPvE, Category: 255,
			Status: StatusMismatch, Locked: true, Full: true, PopulationPercent: 200, Queue: 1<<32 - 1}
		removed[i] = 255
	}
	snapshot := AppendWorldSnapshot(nil, 1<<64-1, true, worlds)
	delta := AppendWorldDelta(nil, &WorldDelta{From: 1<<64 - 1, To: 1<<64 - 1, Changed: worlds, Removed: removed, Stale: true})
	if most := max(len(snapshot), len(delta)); most != 57406 || most > MaxServerBody {
		t.Errorf("snapshot %d, delta %d bytes: limits.go says 57,406", len(snapshot), len(delta))
	}
}

func TestSession_ShowsNoKey(t *testing.T) {
	s, _, _ := mustOpen(t)
	g, _, _ := mustOpenGate(t)
	for _, v := range []any{s, g, s.out, &s.out} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, v); len(text) > 40 || strings.Contains(text, "0x1, 0x2") || strings.Contains(text, "[1 2 3") {
				t.Errorf("%s of %T: %s", verb, v, text)
			}
		}
	}
}

// maxSessionBytes is the maximum memory of an open session, with its channel.
const maxSessionBytes = 220

func TestBudget_HeldSession_Bytes(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	held := make([]*Session, 2000)
	var before, after runtime.MemStats
	prepared := make([]*Session, len(held))
	for i := range prepared {
		prepared[i] = toProving(t)
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range held {
		held[i], _, _ = mustOpen(t)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / int64(len(held))
	t.Logf("a session is %d bytes, %d with all that it holds", unsafe.Sizeof(*held[0]), each)
	if each > maxSessionBytes {
		t.Errorf("an open session holds %d bytes, more than %d", each, maxSessionBytes)
	}
	runtime.KeepAlive(held)
	runtime.KeepAlive(prepared)
}

func TestErrors_AreEqualByWhatTheySay(t *testing.T) {
	if !errors.Is(brokenSeal, &codec.Violation{Message: SealViolation, Result: codec.ResultProtocol}) || errors.Is(brokenSeal, badLength) {
		t.Error("a broken seal is not told from others")
	}
}
