package world

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"gatepass/codec"
)

// The handshake of each era, from connection to the character screen.
func TestSession_WholeLogin(t *testing.T) {
	for _, e := range eras {
		s, c := mustCodec(t, e).Open(), mustClient(t, e)
		hello := codec.WorldReply{Seed: [4]byte{1, 2, 3, 4}, Random: [32]byte{5}}
		challenge, err := ParseAuthChallenge(mustReceive(t, c, mustAppend(t, s, codec.ReplyWorldChallenge, hello)).Body, e)
		if err != nil || challenge.Seed != hello.Seed || (challenge.Random == hello.Random) != (e == Era335) {
			t.Fatalf("%v: %+v, %v", e, challenge, err)
		}
		a := testAuth(e)
		m := mustDecode(t, s, mustAuthSession(t, c, a))
		if m.Kind != codec.KindWorldAuth || m.World.Auth != a.WorldAuth {
			t.Fatalf("%v: %+v", e, m.World)
		}
		if want := Digest(m.World.Auth.Name.Bytes(), m.World.Auth.ClientSeed, hello.Seed, &testKey); m.World.Auth.Digest != want {
			t.Errorf("%v: the digest is wrong", e)
		}
		in := mustReceive(t, c, mustAppend(t, s, codec.ReplyWorldAuth, codec.WorldReply{Code: CodeOK, Key: testKey, KeySet: true}))
		answer, err := ParseAuthResponse(in.Body, e)
		want := AuthResponse{Code: CodeOK, Billing: true, Expansion: uint8(e - Era112)}
		if err != nil || in.Opcode != SMSGAuthResponse || answer != want {
			t.Errorf("%v: %+v, %v", e, answer, err)
		}
		checkCharacterScreen(t, s, c)
	}
}

func checkCharacterScreen(t *testing.T, s *Session, c *Client) {
	t.Helper()
	if m := mustDecode(t, s, mustSend(t, c, CMSGCharEnum, nil)); m.Kind != codec.KindWorldPacket || m.World.Opcode != CMSGCharEnum || m.World.Body != nil {
		t.Errorf("%v %+v", m.Kind, m.World)
	}
	list := mustReceive(t, c, mustAppend(t, s, codec.ReplyWorldPacket, codec.WorldReply{Opcode: SMSGCharEnum, Body: AppendEmptyCharEnum(nil)}))
	if n, err := ParseCharEnum(list.Body); n != 0 || err != nil || list.Opcode != SMSGCharEnum {
		t.Errorf("%d characters, %v", n, err)
	}
	m := mustDecode(t, s, mustSend(t, c, CMSGPing, AppendPing(nil, Ping{77, 5})))
	ping, err := ParsePing(m.World.Body)
	if err != nil || ping != (Ping{77, 5}) {
		t.Errorf("%+v, %v", ping, err)
	}
	pong := mustReceive(t, c, mustAppend(t, s, codec.ReplyWorldPacket, codec.WorldReply{Opcode: SMSGPong, Body: AppendPong(nil, ping.Sequence)}))
	if sequence, err := ParsePong(pong.Body); sequence != 77 || err != nil || pong.Opcode != SMSGPong {
		t.Errorf("%d, %v", sequence, err)
	}
}

// The first queue position in either form, then short ones, then a code without billing
// fields.
func TestSession_WaitQueue(t *testing.T) {
	for _, e := range eras {
		for _, long := range []bool{false, true} {
			s, c := mustCodec(t, e).Open(), mustClient(t, e)
			mustDecode(t, s, mustAuthSession(t, c, testAuth(e)))
			first := codec.WorldReply{Code: CodeWaitQueue, Long: long, Position: 37, Key: testKey, KeySet: true}
			want := AuthResponse{Code: CodeWaitQueue, Position: 37}
			if long {
				want.Billing, want.Expansion = true, e.expansion()
			}
			mustAnswer(t, s, c, first, want)
			mustAnswer(t, s, c, codec.WorldReply{Code: CodeWaitQueue, Position: 1}, AuthResponse{Code: CodeWaitQueue, Position: 1})
			mustAnswer(t, s, c, codec.WorldReply{Code: CodeOK}, AuthResponse{Code: CodeOK})
			checkCharacterScreen(t, s, c)
		}
	}
}

func mustAnswer(t *testing.T, s *Session, c *Client, w codec.WorldReply, want AuthResponse) {
	t.Helper()
	p := mustReceive(t, c, mustAppend(t, s, codec.ReplyWorldAuth, w))
	if got, err := ParseAuthResponse(p.Body, c.Era()); err != nil || got != want || p.Opcode != SMSGAuthResponse {
		t.Errorf("%v: %+v, %v, want %+v", c.Era(), got, err, want)
	}
}

// Quirk 66: a refusal without a key is in the clear, and the client recognizes it; one with a
// key is encrypted. After either, nothing can be sent.
func TestSession_Refusal(t *testing.T) {
	for _, e := range eras {
		for _, keyed := range []bool{false, true} {
			s, c := mustCodec(t, e).Open(), mustClient(t, e)
			mustDecode(t, s, mustAuthSession(t, c, testAuth(e)))
			w := codec.WorldReply{Code: CodeFailed, Key: testKey, KeySet: keyed}
			b := mustAppend(t, s, codec.ReplyWorldAuth, w)
			if clear := hex.EncodeToString(b) == "0003ee010d"; clear == keyed {
				t.Errorf("%v, key %v: %x", e, keyed, b)
			}
			p := mustReceive(t, c, b)
			if a, err := ParseAuthResponse(p.Body, e); err != nil || a != (AuthResponse{Code: CodeFailed}) {
				t.Errorf("%v, key %v: %+v, %v", e, keyed, a, err)
			}
			if _, err := s.Decode([]byte{1}, &codec.Message{}); !isViolation(err) {
				t.Errorf("%v: after the end: %v", e, err)
			}
			if _, err := s.Decode(nil, &codec.Message{}); err != codec.ErrShort {
				t.Errorf("%v: nothing after the end: %v", e, err)
			}
		}
	}
}

// A full gate may refuse a client that has sent nothing.
func TestSession_Refusal_BeforeTheClientSpoke(t *testing.T) {
	s := mustCodec(t, Era112).Open()
	if b := mustAppend(t, s, codec.ReplyWorldAuth, codec.WorldReply{Code: CodeDBBusy}); hex.EncodeToString(b) != "0003ee011f" {
		t.Errorf("%x", b)
	}
	if _, err := s.Decode([]byte{0}, &codec.Message{}); !isViolation(err) {
		t.Error(err)
	}
}

// Packets that a client sends before it is accepted are not read until there is a key.
func TestSession_WaitsForTheKey(t *testing.T) {
	for _, e := range eras {
		s, c := mustCodec(t, e).Open(), mustClient(t, e)
		mustDecode(t, s, mustAuthSession(t, c, testAuth(e)))
		early := mustSend(t, c, CMSGPing, AppendPing(nil, Ping{1, 0}))
		if n, err := s.Decode(early, &codec.Message{}); n != 0 || err != codec.ErrShort {
			t.Fatalf("%v: %d, %v", e, n, err)
		}
		mustAppend(t, s, codec.ReplyWorldAuth, codec.WorldReply{Code: CodeWaitQueue, Position: 1, Key: testKey, KeySet: true})
		if m := mustDecode(t, s, early); m.World.Opcode != CMSGPing {
			t.Errorf("%v: %+v", e, m.World)
		}
	}
}

// Of a build that the gate does not accept, only the fields that are the same in all eras are
// read. A build number out of range is refused as not accepted.
func TestSession_ForeignBuild(t *testing.T) {
	for _, gate := range eras {
		for _, client := range eras {
			a := testAuth(client)
			if gate == client {
				a.Build--
			}
			b, err := AppendAuthSession(ClientHeader{Opcode: CMSGAuthSession}.Append(nil), client, a)
			if err != nil {
				t.Fatal(err)
			}
			ClientHeader{Size: uint16(len(b) - 2), Opcode: CMSGAuthSession}.Append(b[:0])
			m := mustDecode(t, mustCodec(t, gate).Open(), b)
			if want := (codec.WorldAuth{Name: a.Name, Build: a.Build}); m.World.Auth != want {
				t.Errorf("%v at %v: %+v", client, gate, m.World.Auth)
			}
		}
	}
}

// packet returns a client's packet in the clear.
func packet(opcode uint32, body string) []byte {
	return append(ClientHeader{Size: uint16(4 + len(body)), Opcode: opcode}.Append(nil), body...)
}

const (
	head112 = "\xf3\x16\x00\x00\x00\x00\x00\x00"
	tail112 = "\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // end of the name, seed, digest
)

// Each fault of the first packet, and the answer to it.
func TestSession_FirstPacket_Violations(t *testing.T) {
	cases := []struct {
		what string
		b    []byte
		want *codec.Violation
		told string
	}{
		{"another protocol", []byte("GET / HTTP/1.1"), notAuthSession, ""},
		{"a ping", packet(CMSGPing, "12345678"), notAuthSession, ""},
		{"no room for the opcode", []byte{0, 3, 0xed, 1, 0, 0}, badClientSize, ""},
		{"too long, at its header", []byte{0x20, 0, 0xed, 1, 0, 0}, badClientSize, ""},
		{"no body", packet(CMSGAuthSession, ""), badForeignBuild, "0003ee0114"},
		{"no name", packet(CMSGAuthSession, head112), badName, "0003ee0115"},
		{"empty name", packet(CMSGAuthSession, head112+tail112), badName, "0003ee0115"},
		{"name of 17", packet(CMSGAuthSession, head112+strings.Repeat("A", 17)+tail112), badName, "0003ee0115"},
		{"name without end", packet(CMSGAuthSession, head112+strings.Repeat("A", 16)), badName, "0003ee0115"},
		{"no digest", packet(CMSGAuthSession, head112+"A"+tail112[:24]), badAuthSession, ""},
		{"half a list", packet(CMSGAuthSession, head112+"A"+tail112+"\x01\x00\x00"), badAuthSession, ""},
		{"list of a megabyte", packet(CMSGAuthSession, head112+"A"+tail112+"\x00\x00\x10\x00z"), badAddons, ""},
		{"build of more than 16 bits", packet(CMSGAuthSession, "\xf3\x16\x01\x00\x00\x00\x00\x00A"+tail112), badForeignBuild, "0003ee0114"},
		{"foreign build, unreadable", packet(CMSGAuthSession, "\x34\x30\x00\x00\x00\x00\x00\x00"), badForeignBuild, "0003ee0114"},
	}
	for _, c := range cases {
		s := mustCodec(t, Era112).Open()
		var m codec.Message
		n, err := s.Decode(c.b, &m)
		if n != 0 || err != c.want || m != (codec.Message{}) {
			t.Errorf("%s: %d, %v, want %v", c.what, n, err, c.want)
			continue
		}
		if told := s.AppendViolation([]byte("x"), c.want); string(told) != "x"+string(mustHex(t, c.told)) {
			t.Errorf("%s: told %x, want %s", c.what, told, c.told)
		}
	}
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A wrong list or name is found in the other eras too. A packet without a list, with an empty
// list or with the longest name is accepted.
func TestSession_FirstPacket_Edges(t *testing.T) {
	for _, e := range eras {
		a := testAuth(e)
		a.Name, _ = codec.NameOf("ABCDEFGHIJKLMNOP")
		a.AddonSize, a.Addons = MaxAddonSize, nil
		b := mustAuthSession(t, mustClient(t, e), a)
		if m := mustDecode(t, mustCodec(t, e).Open(), b); m.World.Auth != a.WorldAuth {
			t.Errorf("%v: %+v", e, m.World.Auth)
		}
		b = b[:len(b)-4]
		ClientHeader{Size: uint16(len(b) - 2), Opcode: CMSGAuthSession}.Append(b[:0])
		if m := mustDecode(t, mustCodec(t, e).Open(), b); m.World.Auth != a.WorldAuth {
			t.Errorf("%v without a list: %+v", e, m.World.Auth)
		}
	}
}

// A header is checked before waiting for its body.
func TestSession_Headers_Violations(t *testing.T) {
	for _, e := range eras {
		for want, h := range map[*codec.Violation]ClientHeader{
			badClientSize: {Size: 3, Opcode: CMSGPing},
			badOpcode:     {Size: 4, Opcode: MaxOpcode + 1},
		} {
			s, c := mustOpen(t, e)
			b := h.Append(nil)
			c.send.Encrypt(b)
			if _, err := s.Decode(b, &codec.Message{}); err != want {
				t.Errorf("%v %+v: %v", e, h, err)
			}
			if told := s.AppendViolation(nil, want); len(told) != 0 {
				t.Errorf("%v: told %x", e, told)
			}
		}
		s, c := mustOpen(t, e)
		b := ClientHeader{Size: 4 + MaxBody + 1, Opcode: MaxOpcode}.Append(nil)
		c.send.Encrypt(b)
		if _, err := s.Decode(b, &codec.Message{}); err != badClientSize {
			t.Errorf("%v: %v", e, err)
		}
	}
}

func TestSession_LongestPackets(t *testing.T) {
	for _, e := range eras {
		s, c := mustOpen(t, e)
		b := mustSend(t, c, MaxOpcode, bytes.Repeat([]byte{1}, MaxBody))
		if len(b) != MaxPacket {
			t.Fatalf("%d bytes", len(b))
		}
		if m := mustDecode(t, s, b); len(m.World.Body) != MaxBody || m.World.Opcode != MaxOpcode {
			t.Errorf("%v: %d bytes", e, len(m.World.Body))
		}
		if _, err := c.AppendPacket(nil, 1, make([]byte, MaxBody+1)); err != ErrBody {
			t.Errorf("%v: %v", e, err)
		}
		for n, head := range map[int]int{0: 4, maxShortSize - 2: 4, maxShortSize - 1: 5, MaxReplyBody: 5} {
			if e != Era335 {
				head = 4
			}
			b := mustAppend(t, s, codec.ReplyWorldPacket, codec.WorldReply{Opcode: 1, Body: make([]byte, n)})
			if p := mustReceive(t, c, b); len(b) != head+n || len(p.Body) != n || p.Opcode != 1 {
				t.Errorf("%v, body of %d: %d bytes, %d arrived", e, n, len(b), len(p.Body))
			}
		}
		tooLong := codec.Reply{Kind: codec.ReplyWorldPacket, World: &codec.WorldReply{Body: make([]byte, MaxReplyBody+1)}}
		if out, err := s.Append([]byte("x"), &tooLong); err != ErrBody || string(out) != "x" {
			t.Errorf("%v: %v", e, err)
		}
		checkCharacterScreen(t, s, c) // the ciphers are still in step
	}
}

// A key is given once, after the client's first packet. Only refusals may be sent before it.
func TestSession_Append_KeysInTheirPlace(t *testing.T) {
	keyed := codec.WorldReply{Code: CodeOK, Key: testKey, KeySet: true}
	cases := []struct {
		what string
		s    func() *Session
		kind codec.ReplyKind
		w    codec.WorldReply
		want error
	}{
		{"key before the client spoke", newSession(t), codec.ReplyWorldAuth, keyed, ErrKey},
		{"second key", openSession(t), codec.ReplyWorldAuth, keyed, ErrKey},
		{"in without a key", newSession(t), codec.ReplyWorldAuth, codec.WorldReply{Code: CodeOK}, ErrNoKey},
		{"queue without a key", newSession(t), codec.ReplyWorldAuth, codec.WorldReply{Code: CodeWaitQueue}, ErrNoKey},
		{"packet without a key", newSession(t), codec.ReplyWorldPacket, codec.WorldReply{Opcode: 1}, ErrNoKey},
	}
	for _, c := range cases {
		s := c.s()
		was := s.phase
		out, err := s.Append([]byte("x"), &codec.Reply{Kind: c.kind, World: &c.w})
		if err != c.want || string(out) != "x" || s.phase != was {
			t.Errorf("%s: %x, %v, phase %v", c.what, out, err, s.phase)
		}
	}
	if out, err := newSession(t)().Append([]byte("x"), &codec.Reply{}); err != nil || string(out) != "x" {
		t.Errorf("no reply: %x, %v", out, err)
	}
}

func newSession(t *testing.T) func() *Session {
	return func() *Session { return mustCodec(t, Era112).Open() }
}

func openSession(t *testing.T) func() *Session {
	return func() *Session { s, _ := mustOpen(t, Era112); return s }
}

func TestSession_Append_PanicsOnAnotherProtocol(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a reply of the login protocol was encoded")
		}
	}()
	mustAppend(t, newSession(t)(), codec.ReplyLogonProof, codec.WorldReply{})
}

// A wrong key makes the first header invalid, and ends the connection.
func TestSession_WrongKey(t *testing.T) {
	for _, e := range eras {
		s, c := mustCodec(t, e).Open(), mustClient(t, e)
		mustDecode(t, s, mustAuthSession(t, c, testAuth(e)))
		other := testKey
		for i := range other {
			other[i] ^= 0x55
		}
		mustAppend(t, s, codec.ReplyWorldAuth, codec.WorldReply{Code: CodeOK, Key: other, KeySet: true})
		_, err := s.Decode(mustSend(t, c, CMSGPing, AppendPing(nil, Ping{1, 1})), &codec.Message{})
		if err != badOpcode && err != badClientSize {
			t.Errorf("%v: %v", e, err)
		}
	}
}

func TestOptions_Validate(t *testing.T) {
	for _, good := range [][]uint16{{5875}, {5875, 6005, 6141, 4125}, {8606, 6180, 9055}, {12340}} {
		c, err := New(Options{Builds: good})
		if err != nil || !c.Takes(good[0]) || c.Takes(1) || c.Era() != EraOf(good[0]) {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range [][]uint16{nil, {}, {0}, {5875, 8606}, {12340, 8606}, {11723}, {15595}, {6179, 6180}, {5875, 0}} {
		if _, err := New(Options{Builds: bad}); !errors.Is(err, ErrBuilds) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestClient_Errors(t *testing.T) {
	if _, err := NewClient(11723); err != ErrBuilds {
		t.Error(err)
	}
	c := mustClient(t, Era112)
	if out, err := c.AppendPacket([]byte("x"), CMSGPing, nil); err != ErrNoKey || string(out) != "x" {
		t.Error(err)
	}
	for want, a := range map[error]*AuthSession{
		ErrName:      {},
		ErrAddonSize: {WorldAuth: testAuth(Era112).WorldAuth, AddonSize: MaxAddonSize + 1},
		ErrBody:      {WorldAuth: testAuth(Era112).WorldAuth, Addons: make([]byte, MaxBody)},
	} {
		if out, err := c.AppendAuthSession([]byte("x"), a, &testKey); err != want || string(out) != "x" {
			t.Errorf("%v, want %v", err, want)
		}
	}
	for _, header := range []ServerHeader{{Size: 1}, {Size: 0x7FFFFF}} {
		c := mustClient(t, Era335)
		if _, _, err := c.Decode(header.Append(nil, Era335)); err != badServerSize {
			t.Errorf("%+v: %v", header, err)
		}
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for code := CodeOK; code <= CodeLocked; code++ {
		name := CodeName(uint8(code))
		if seen[name] || strings.Contains(name, "(") {
			t.Errorf("%#x: %q", code, name)
		}
		seen[name] = true
	}
	for want, got := range map[string]string{
		"code(11)": CodeName(11), "code(35)": CodeName(35), "wait-queue": CodeName(CodeWaitQueue), "locked": CodeName(CodeLocked),
		"era(0)": Era(0).String(), "era(4)": Era(4).String(), "1.12 start": newSession(t)().String(), "1.12 open": openSession(t)().String(),
		"waiting": phaseWaiting.String(), "over": phaseOver.String(), "phase(9)": phase(9).String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Every refusal has a code that refuses, and only success has a code of success.
func TestCodeOf(t *testing.T) {
	for r := codec.ResultOK; r < codec.ResultCount; r++ {
		if code := CodeOf(r); (code == CodeOK) != (r == codec.ResultOK) || code < CodeOK || code >= CodeLocked || code == CodeWaitQueue {
			t.Errorf("%v: %#x", r, code)
		}
	}
	if CodeOf(codec.ResultCount) != CodeFailed {
		t.Error("what is no result is told something")
	}
}

func TestParse_WhatSessionsNeverAsk(t *testing.T) {
	if _, err := ParseAuthSession([]byte("\xf3\x16\x01\x00\x00\x00\x00\x00A"+tail112), Era112); err != badForeignBuild {
		t.Errorf("a build of more than 16 bits: %v", err)
	}
	for n := range clientHeaderLen {
		if _, _, err := ParseClientHeader(make([]byte, n)); err != codec.ErrShort {
			t.Errorf("a header of %d bytes: %v", n, err)
		}
	}
}
