package world

import (
	"bytes"
	"reflect"
	"testing"

	"gatepass/codec"

	"pgregory.net/rapid"
)

// verdict is the result of a stream: its messages, then short or a violation.
type verdict struct {
	messages []codec.Message
	err      error
	left     int // bytes not consumed
}

// failer has the common methods of *testing.T and *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// feeder feeds a session as a reactor does.
type feeder struct {
	s       *Session
	pending []byte
	verdict
}

func (f *feeder) feed(t failer, piece []byte) {
	t.Helper()
	f.pending = append(f.pending, piece...)
	for !isViolation(f.err) {
		var m codec.Message
		n, err := f.s.Decode(f.pending, &m)
		f.err = err
		if err == codec.ErrShort && len(f.pending) >= MaxPacket && f.s.phase != phaseWaiting {
			t.Fatalf("%d bytes wait", len(f.pending))
		}
		if err != nil {
			if n != 0 || m != (codec.Message{}) {
				t.Fatalf("%d bytes consumed, %+v with %v", n, m, err)
			}
			break
		}
		if n < clientHeaderLen || n > len(f.pending) {
			t.Fatalf("%d of %d bytes consumed", n, len(f.pending))
		}
		f.messages = append(f.messages, m)
		clear(f.pending[:n]) // no decoded message may alias them
		f.pending = f.pending[n:]
	}
	f.left = len(f.pending)
}

// decodeAll feeds the pieces of the handshake, gives the key after it, and then feeds the
// rest.
func decodeAll(t failer, e Era, auth, rest [][]byte) verdict {
	t.Helper()
	c, err := New(Options{Builds: []uint16{buildOf[e]}})
	if err != nil {
		t.Fatalf("%v", err)
	}
	f := feeder{s: c.Open()}
	for _, piece := range auth {
		f.feed(t, piece)
	}
	if f.s.phase == phaseWaiting {
		ok := codec.WorldReply{Code: CodeOK, Key: testKey, KeySet: true}
		if _, err := f.s.Append(nil, &codec.Reply{Kind: codec.ReplyWorldAuth, World: &ok}); err != nil {
			t.Fatalf("%v", err)
		}
	}
	for _, piece := range rest {
		f.feed(t, piece)
	}
	return f.verdict
}

// mustAgree fails unless both streams have the same result.
func mustAgree(t failer, got, want verdict) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%d messages, %d bytes left, %v\nwant %d, %d, %v",
			len(got.messages), got.left, got.err, len(want.messages), want.left, want.err)
	}
}

// cut splits b at the given distances; the last piece is the rest.
func cut(b []byte, distances []byte) (pieces [][]byte) {
	for _, d := range distances {
		n := min(int(d), len(b))
		pieces, b = append(pieces, b[:n:n]), b[n:]
	}
	return append(pieces, b)
}

// conversation returns everything that a client sends; the first packet ends at auth.
func conversation(t testing.TB, e Era) (stream []byte, auth int) {
	t.Helper()
	c := mustClient(t, e)
	stream = mustAuthSession(t, c, testAuth(e))
	auth = len(stream)
	stream = append(stream, mustSend(t, c, CMSGCharEnum, nil)...)
	stream = append(stream, mustSend(t, c, CMSGPing, AppendPing(nil, Ping{1, 2}))...)
	stream = append(stream, mustSend(t, c, 0x38C, []byte{0xff, 0xff, 0xff, 0xff})...)
	return append(stream, mustSend(t, c, CMSGPing, AppendPing(nil, Ping{2, 3}))...), auth
}

// The result does not depend on how a stream is split, though the cipher has already decrypted
// a header whose body has not arrived.
func TestSession_Decode_CutAnywhere(t *testing.T) {
	for _, e := range eras {
		stream, auth := conversation(t, e)
		want := decodeAll(t, e, [][]byte{stream[:auth]}, [][]byte{stream[auth:]})
		if len(want.messages) != 5 || want.err != codec.ErrShort || want.left != 0 {
			t.Fatalf("%v: %+v", e, want)
		}
		for i := range stream[auth:] {
			mustAgree(t, decodeAll(t, e, [][]byte{stream[:auth]}, [][]byte{stream[auth : auth+i], stream[auth+i:]}), want)
		}
		rapid.Check(t, func(t *rapid.T) {
			cuts := rapid.SliceOfN(rapid.Byte(), 0, 40)
			mustAgree(t, decodeAll(t, e, cut(stream[:auth], cuts.Draw(t, "first")), cut(stream[auth:], cuts.Draw(t, "rest"))), want)
		})
	}
}

// Every proper prefix of every packet asks for more bytes, and the rest is then read as if all
// had arrived at once.
func TestSession_Decode_PrefixesAreShort(t *testing.T) {
	for _, e := range eras {
		s, c := mustOpen(t, e)
		for sequence := range uint32(20) {
			packet := mustSend(t, c, CMSGPing, AppendPing(nil, Ping{sequence, 9}))
			for n := range packet {
				var m codec.Message
				if consumed, err := s.Decode(packet[:n:n], &m); err != codec.ErrShort || consumed != 0 || m != (codec.Message{}) {
					t.Fatalf("%v, %d of %d bytes: %d, %v", e, n, len(packet), consumed, err)
				}
			}
			m := mustDecode(t, s, packet)
			if p, err := ParsePing(m.World.Body); err != nil || p != (Ping{sequence, 9}) || m.World.Opcode != CMSGPing {
				t.Fatalf("%v: %+v, %v", e, m.World, err)
			}
		}
	}
}

// receiveAll feeds the pieces to a client, and records what it read.
func receiveAll(t failer, e Era, pieces [][]byte) (log []byte, err error) {
	t.Helper()
	c, err := NewClient(buildOf[e])
	if err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := c.AppendAuthSession(nil, testAuth(e), &testKey); err != nil {
		t.Fatalf("%v", err)
	}
	var pending []byte
	for _, piece := range pieces {
		pending = append(pending, piece...)
		for !isViolation(err) {
			var p Packet
			var n int
			if p, n, err = c.Decode(pending); err != nil {
				break
			}
			log = append(log, byte(p.Opcode), byte(p.Opcode>>8), byte(len(p.Body)))
			log = append(log, p.Body...)
			pending = pending[n:]
		}
	}
	return append(log, byte(len(pending))), err
}

func TestClient_Decode_CutAnywhere(t *testing.T) {
	for _, e := range eras {
		stream, sizes := replies(t, e)
		want, err := receiveAll(t, e, [][]byte{stream})
		if err != codec.ErrShort || want[len(want)-1] != 0 {
			t.Fatalf("%v: %v", e, err)
		}
		for n := range stream {
			if n > 100 && n < len(stream)-sizes[2]-20 {
				continue // the inside of the long body
			}
			got, err := receiveAll(t, e, [][]byte{stream[:n:n], stream[n:]})
			if err != codec.ErrShort || !bytes.Equal(got, want) {
				t.Fatalf("%v cut at %d: %v", e, n, err)
			}
		}
	}
}

// replies returns everything that a server sends after its challenge: a queue position, a
// packet with the longest header, and a short one.
func replies(t testing.TB, e Era) (stream []byte, sizes [3]int) {
	t.Helper()
	s := mustCodec(t, e).Open()
	mustDecode(t, s, mustAuthSession(t, mustClient(t, e), testAuth(e)))
	for i, r := range []codec.Reply{
		{Kind: codec.ReplyWorldAuth, World: &codec.WorldReply{Code: CodeWaitQueue, Long: true, Position: 3, Key: testKey, KeySet: true}},
		{Kind: codec.ReplyWorldPacket, World: &codec.WorldReply{Opcode: 0x1234, Body: bytes.Repeat([]byte{7}, 0x9000)}},
		{Kind: codec.ReplyWorldPacket, World: &codec.WorldReply{Opcode: SMSGPong, Body: AppendPong(nil, 9)}},
	} {
		b := mustAppend(t, s, r.Kind, *r.World)
		stream, sizes[i] = append(stream, b...), len(b)
	}
	return stream, sizes
}
