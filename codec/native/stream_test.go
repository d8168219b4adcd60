package native

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// failer has the common methods of *testing.T and *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// verdict is the result of a stream: its messages, then short or a violation.
type verdict struct {
	messages []codec.Message
	err      error
	left     int
}

func isViolation(err error) bool {
	var v *codec.Violation
	return errors.As(err, &v)
}

// decodeAll feeds the pieces as a reactor does, and sends the answers that a conversation
// needs to continue.
func decodeAll(t failer, pieces [][]byte) (v verdict) {
	t.Helper()
	s := New(Options{}).Open()
	var pending []byte
	for _, piece := range pieces {
		pending = append(pending, piece...)
		for !isViolation(v.err) {
			var m codec.Message
			n, err := s.Decode(pending, &m)
			v.err = err
			if err != nil {
				if n != 0 || m != (codec.Message{}) {
					t.Fatalf("%d bytes consumed, %+v with %v", n, m, err)
				}
				break
			}
			v.messages = append(v.messages, m)
			clear(pending[:n]) // no decoded message may alias them
			pending = pending[n:]
			answer(t, s, m.Kind)
		}
	}
	v.left = len(pending)
	return v
}

func answer(t failer, s *Session, kind codec.Kind) {
	r := codec.Reply{Native: &codec.NativeReply{Keys: testKeys}}
	switch kind {
	case codec.KindSignIn:
		r.Kind = codec.ReplyPasswordChallenge
	case codec.KindPasswordProof:
		r.Kind = codec.ReplyAccepted
	}
	if _, err := s.Append(nil, &r); err != nil {
		t.Fatalf("%v", err)
	}
}

// conversation returns everything that a client sends. Messages that wait for an answer
// directly follow each other here; a session that has sent the answer cannot detect this.
func conversation(t testing.TB) (stream []byte, frames int) {
	stream = inClear(mustMarshal(t, signInFrame()))
	stream = append(stream, inClear(mustMarshal(t, passwordProof))...)
	send := direction(&testKeys.ToServer)
	for _, f := range []*pb.ClientFrame{
		{Body: &pb.ClientFrame_FactorCode{FactorCode: &pb.FactorCode{Code: "123456"}}},
		{Body: &pb.ClientFrame_RememberDevice{RememberDevice: &pb.RememberDevice{Name: "d", Verifier: make([]byte, 32)}}},
		ping(1), ping(2),
		{Body: &pb.ClientFrame_AcceptUpdate{AcceptUpdate: &pb.AcceptUpdate{Offset: 1 << 40, Window: 1 << 20}}},
		{Body: &pb.ClientFrame_UpdateReceived{UpdateReceived: &pb.UpdateReceived{Offset: 1<<40 + 1}}},
		{Body: &pb.ClientFrame_CancelUpdate{CancelUpdate: &pb.CancelUpdate{}}},
		{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{World: 3}}},
		{Body: &pb.ClientFrame_ReleaseWorld{ReleaseWorld: &pb.ReleaseWorld{}}},
	} {
		stream = send.Seal(stream, mustMarshal(t, f))
	}
	return stream, 11
}

// cut splits b at the given distances; the last piece is the rest.
func cut(b []byte, distances []byte) (pieces [][]byte) {
	for _, d := range distances {
		n := min(int(d), len(b))
		pieces, b = append(pieces, bytes.Clone(b[:n])), b[n:]
	}
	return append(pieces, bytes.Clone(b))
}

// The result does not depend on how a stream is split.
func TestSession_Decode_CutAnywhere(t *testing.T) {
	stream, frames := conversation(t)
	want := decodeAll(t, cut(stream, nil))
	if len(want.messages) != frames || want.err != codec.ErrShort || want.left != 0 {
		t.Fatalf("%+v", want)
	}
	for i := range stream {
		if got := decodeAll(t, [][]byte{bytes.Clone(stream[:i]), bytes.Clone(stream[i:])}); !reflect.DeepEqual(got, want) {
			t.Fatalf("cut at %d: %+v, want %+v", i, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if got := decodeAll(t, cut(stream, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "cuts"))); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// Every proper prefix of every message asks for more bytes, and changes neither the session
// nor the bytes.
func TestSession_Decode_PrefixesAreShort(t *testing.T) {
	for _, c := range saids() {
		s, seal := c.at(t)
		frame := inClear(mustMarshal(t, c.frame))
		if seal != nil {
			frame = seal.Seal(nil, frame[HeaderSize:])
		}
		for n := range frame {
			var m codec.Message
			prefix := bytes.Clone(frame[:n])
			if consumed, err := s.Decode(prefix, &m); err != codec.ErrShort || consumed != 0 || m != (codec.Message{}) {
				t.Fatalf("%s, %d of %d bytes: %d, %v", c.name, n, len(frame), consumed, err)
			}
			if !bytes.Equal(prefix, frame[:n]) {
				t.Fatalf("%s: %d bytes were changed", c.name, n)
			}
		}
		mustDecode(t, s, frame)
	}
}

// sameAsGenerated parses a client's body by hand and with generated code. Both must accept it
// with the same fields, or both must refuse it.
func sameAsGenerated(t failer, body []byte, e *envelope, frame proto.Message) {
	t.Helper()
	var f fields
	which, ok := e.parse(body, &f)
	err := proto.Unmarshal(body, frame)
	if ok != (err == nil) {
		t.Fatalf("%x: parsed %t, generated code says %v", body, ok, err)
	}
	if !ok {
		return
	}
	r := frame.ProtoReflect()
	field := r.WhichOneof(r.Descriptor().Oneofs().Get(0))
	if field == nil {
		if which != 0 {
			t.Fatalf("%x: found %d, generated code nothing", body, which)
		}
		return
	}
	if which != field.Number() {
		t.Fatalf("%x: found %d, generated code %d", body, which, field.Number())
	}
	message := r.Get(field).Message()
	all := message.Descriptor().Fields()
	for i := range all.Len() {
		fd := all.Get(i)
		v := message.Get(fd)
		var same bool
		switch e.shapes[which][fd.Number()] {
		case number:
			if fd.Kind() == protoreflect.BoolKind {
				same = v.Bool() == (f.number[fd.Number()] != 0)
				break
			}
			same = v.Uint() == f.number[fd.Number()] || fd.Kind() == protoreflect.Uint32Kind && v.Uint() == uint64(f.u32(int(fd.Number())))
		case raw:
			same = bytes.Equal(v.Bytes(), f.bytes[fd.Number()])
		case text:
			same = v.String() == string(f.bytes[fd.Number()])
		}
		if !same {
			t.Fatalf("%x: %s is %v", body, fd.FullName(), v)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, n := range bodies(f) {
		f.Add(n.body)
	}
	f.Add([]byte{0x0A, 2, 0x08, 1, 0x4A, 2, 0x08, 1, 0x0A, 2, 0x10, 1})                                      // two of a oneof, one again
	f.Add([]byte{0x4A, 2, 0x08, 1, 0x4A, 0})                                                                 // one twice: merged
	f.Add([]byte{0x08, 1, 0x0D, 1, 2, 3, 4})                                                                 // known numbers with other types
	f.Add([]byte{0x82, 1, 0, 0x8A, 1, 2, 0x08, 9, 0x92, 1, 0, 0x9A, 1, 0})                                   // bodies of two bytes' tags, one that is not known
	f.Add([]byte{0x0A, 2, 0x50, 2, 0x0A, 11, 0x50, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}) // a bool above 1, and of ten bytes
	f.Add([]byte{0x83, 1, 0x84, 1, 0xF8, 0xFF, 0xFF, 0xFF, 0x1F, 1})                                         // a group, the highest number
	f.Fuzz(func(t *testing.T, body []byte) {
		sameAsGenerated(t, body, &loginEnvelope, &pb.ClientFrame{})
		sameAsGenerated(t, body, &gateEnvelope, &pb.GateClientFrame{})
	})
}

// TestParse_AgreesWithGenerated draws inputs that a fuzzer needs long to find: fields of the
// contract in any order, repeated, with changed types and lengths.
func TestParse_AgreesWithGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := drawFields(t, func(t *rapid.T) []byte { return drawFields(t, drawBytes) })
		sameAsGenerated(t, body, &loginEnvelope, &pb.ClientFrame{})
		sameAsGenerated(t, body, &gateEnvelope, &pb.GateClientFrame{})
	})
}

func drawBytes(t *rapid.T) []byte { return rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes") }

// fieldNumbers are those of the contract, some more than once, and some unknown ones.
var fieldNumbers = []uint64{0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 16, 17, 17, 18, 19, 31, 1 << 20}

func drawFields(t *rapid.T, inner func(t *rapid.T) []byte) (b []byte) {
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		num := rapid.SampledFrom(fieldNumbers).Draw(t, "number")
		switch typ := rapid.SampledFrom([]byte{0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 3, 4, 5}).Draw(t, "type"); typ {
		case 0:
			b = protowire.AppendVarint(b, num<<3)
			b = append(b, rapid.SampledFrom([][]byte{{0}, {1}, {0xFF, 1}, {0x80, 0}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1}}).Draw(t, "varint")...)
		case 2:
			b = protowire.AppendVarint(b, num<<3|2)
			b = protowire.AppendBytes(b, inner(t))
		default:
			b = append(protowire.AppendVarint(b, num<<3|uint64(typ)), 1, 2, 3, 4)
		}
	}
	return b
}

// FuzzSession splits a client's stream in two ways. Both must have the same result.
func FuzzSession(f *testing.F) {
	stream, _ := conversation(f)
	f.Add(stream, []byte{1, 3, 33, 70, 2})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{1})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		if got, want := decodeAll(t, cut(stream, cuts)), decodeAll(t, cut(stream, nil)); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\n%+v", got, want)
		}
	})
}
