package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"testing"

	"google.golang.org/protobuf/proto"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

var rewrite = flag.Bool("rewrite", false, "write testdata and the examples of docs/native-*.md anew")

// server has the common methods of Session and GateSession.
type server interface {
	Decode(b []byte, m *codec.Message) (int, error)
	Append(dst []byte, r *codec.Reply) ([]byte, error)
	AppendFrame(dst, frame []byte) ([]byte, error)
	AppendViolation(dst []byte, v *codec.Violation) []byte
	String() string
	GoString() string
}

var testKeys = codec.ChannelKeys{ToServer: [32]byte{1, 2, 3}, ToClient: [32]byte{4, 5, 6}}

// seq returns n bytes that count up from first.
func seq(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// inClear returns a body in a frame that is not sealed.
func inClear(body []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustAppend(t testing.TB, s server, r codec.Reply) []byte {
	t.Helper()
	b, err := s.Append(nil, &r)
	if err != nil {
		t.Fatalf("%v: %v", r.Kind, err)
	}
	return b
}

// mustDecode decodes one whole frame.
func mustDecode(t testing.TB, s server, frame []byte) codec.Message {
	t.Helper()
	var m codec.Message
	if n, err := s.Decode(bytes.Clone(frame), &m); err != nil || n != len(frame) {
		t.Fatalf("%d of %d bytes: %v", n, len(frame), err)
	}
	return m
}

// mustViolate decodes a frame that must be a violation, and returns the violation.
func mustViolate(t testing.TB, s server, b []byte) *codec.Violation {
	t.Helper()
	m := codec.Message{Number: 42}
	n, err := s.Decode(bytes.Clone(b), &m)
	var v *codec.Violation
	if !errors.As(err, &v) || n != 0 {
		t.Fatalf("%d bytes, %v; want a violation", n, err)
	}
	if m != (codec.Message{Number: 42}) {
		t.Fatalf("message changed: %+v", m)
	}
	return v
}

func signIn() *pb.SignIn {
	return &pb.SignIn{
		Version: 1, Account: "player", Nonce: seq(0x10, 32), Build: 12340,
		Platform: "x64", System: "Lin", Locale: "enUS", Device: seq(0x40, 16),
	}
}

// toPassword takes a session to the state before the password proof.
func toPassword(t testing.TB) *Session {
	t.Helper()
	s := New(Options{}).Open()
	mustDecode(t, s, inClear(mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: signIn()}})))
	mustAppend(t, s, codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: &codec.NativeReply{Group: 2048, PublicKey: seq(1, 256)}})
	return s
}

var passwordProof = &pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{
	PasswordProof: &pb.PasswordProof{PublicKey: make([]byte, 256), Proof: make([]byte, 32)}}}

// toProving takes a session to the state between the proof and its answer.
func toProving(t testing.TB) *Session {
	t.Helper()
	s := toPassword(t)
	mustDecode(t, s, inClear(mustMarshal(t, passwordProof)))
	return s
}

// mustOpen returns a session with a channel, and the client's two directions of it.
func mustOpen(t testing.TB) (s *Session, send, receive *Direction) {
	t.Helper()
	s = toProving(t)
	mustAppend(t, s, codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{Keys: testKeys}})
	return s, direction(&testKeys.ToServer), direction(&testKeys.ToClient)
}

func direction(key *[32]byte) *Direction { d := NewDirection(key); return &d }

const testWorld = 7

var gateHello = &pb.GateClientFrame{Body: &pb.GateClientFrame_Hello{Hello: &pb.GateHello{
	Version: 1, Pass: seq(1, 16), Nonce: seq(0x20, 32), Proof: seq(0x60, 32), Build: 12340}}}

// toPass takes a gate's session to the state before the pass.
func toPass(t testing.TB) *GateSession {
	t.Helper()
	s := NewGate(testWorld).Open()
	mustAppend(t, s, codec.Reply{Kind: codec.ReplyGateChallenge, Native: &codec.NativeReply{}})
	return s
}

// mustOpenGate returns a gate's session with a channel.
func mustOpenGate(t testing.TB) (s *GateSession, send, receive *Direction) {
	t.Helper()
	s = toPass(t)
	mustDecode(t, s, inClear(mustMarshal(t, gateHello)))
	mustAppend(t, s, codec.Reply{Kind: codec.ReplyGateAccepted, Native: &codec.NativeReply{Keys: testKeys}})
	return s, direction(&testKeys.ToServer), direction(&testKeys.ToClient)
}

func ping(n uint64) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: n}}}
}
