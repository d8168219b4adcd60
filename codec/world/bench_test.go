package world

import (
	"bytes"
	"testing"

	"gatepass/codec"
)

func BenchmarkCipher(b *testing.B) {
	for _, e := range eras {
		b.Run("era="+e.String(), func(b *testing.B) {
			c := NewCipher(e, ToServer, &testKey)
			var header [clientHeaderLen]byte
			b.ReportAllocs()
			for b.Loop() {
				c.Encrypt(header[:])
			}
		})
	}
}

func BenchmarkSession_Ping(b *testing.B) {
	for _, e := range eras {
		b.Run("era="+e.String(), func(b *testing.B) {
			s, c := mustOpen(b, e)
			var in, out []byte
			var m codec.Message
			body := AppendPing(nil, Ping{1, 2})
			pong := codec.Reply{Kind: codec.ReplyWorldPacket, World: &codec.WorldReply{Opcode: SMSGPong, Body: AppendPong(nil, 1)}}
			b.ReportAllocs()
			for b.Loop() {
				in, _ = c.AppendPacket(in[:0], CMSGPing, body)
				if _, err := s.Decode(in, &m); err != nil || m.World.Opcode != CMSGPing {
					b.Fatal(err)
				}
				out, _ = s.Append(out[:0], &pong)
				if p, _, err := c.Decode(out); err != nil || p.Opcode != SMSGPong {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSession_Handshake(b *testing.B) {
	for _, e := range eras {
		b.Run("era="+e.String(), func(b *testing.B) {
			c := mustCodec(b, e)
			first := mustAuthSession(b, mustClient(b, e), testAuth(e))
			hello := codec.Reply{Kind: codec.ReplyWorldChallenge, World: &codec.WorldReply{}}
			in := codec.Reply{Kind: codec.ReplyWorldAuth, World: &codec.WorldReply{Code: CodeOK, Key: testKey, KeySet: true}}
			var out []byte
			var m codec.Message
			b.ReportAllocs()
			for b.Loop() {
				s := c.Open()
				out, _ = s.Append(out[:0], &hello)
				if _, err := s.Decode(first, &m); err != nil {
					b.Fatal(err)
				}
				auth := &m.World.Auth
				if Digest(auth.Name.Bytes(), auth.ClientSeed, [4]byte{1, 2, 3, 4}, &testKey) != auth.Digest {
					b.Fatal("wrong digest")
				}
				if out, _ = s.Append(out, &in); len(out) < 18 {
					b.Fatalf("%d bytes", len(out))
				}
			}
		})
	}
}

func TestAllocs_WritingAndCiphers(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, e := range eras {
		s, c := mustOpen(t, e)
		replies := []codec.Reply{
			{Kind: codec.ReplyWorldChallenge, World: &codec.WorldReply{}},
			{Kind: codec.ReplyWorldAuth, World: &codec.WorldReply{Code: CodeWaitQueue, Long: true}},
			{Kind: codec.ReplyWorldAuth, World: &codec.WorldReply{Code: CodeOK}},
			{Kind: codec.ReplyWorldPacket, World: &codec.WorldReply{Opcode: SMSGPong, Body: bytes.Repeat([]byte{1}, 0x8000)}},
		}
		buf := make([]byte, 0, 1<<17)
		name := []byte("ABCDEFGHIJKLMNOP")
		wrong := append(ClientHeader{Size: 4, Opcode: CMSGPing}.Append(nil), "......"...)
		var m codec.Message
		fresh := mustCodec(t, e).Open()
		if n := testing.AllocsPerRun(100, func() {
			buf = buf[:0]
			for i := range replies {
				buf, _ = s.Append(buf, &replies[i])
			}
			start := len(buf)
			buf, _ = c.AppendPacket(buf, CMSGPing, name)
			if _, err := s.Decode(buf[start:len(buf)-1], &m); err != codec.ErrShort {
				t.Fatal(err)
			}
			s.headed = false // as if the packet had been decoded
			Digest(name, [4]byte{}, [4]byte{}, &testKey)
			_, err := fresh.Decode(wrong, &m)
			buf = fresh.AppendViolation(buf, err.(*codec.Violation))
		}); n != 0 {
			t.Errorf("%v: %v allocations, want 0", e, n)
		}
	}
}

// A message allocates only itself and its body.
func TestAllocs_Reading(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, e := range eras {
		s, c := mustOpen(t, e)
		buf := make([]byte, 0, 1<<10)
		body := AppendPing(nil, Ping{})
		var m codec.Message
		if n := testing.AllocsPerRun(100, func() {
			buf, _ = c.AppendPacket(buf[:0], CMSGPing, body)
			if _, err := s.Decode(buf, &m); err != nil {
				t.Fatal(err)
			}
		}); n != 2 {
			t.Errorf("%v: %v allocations, want 2", e, n)
		}
		auth := mustAuthSession(t, mustClient(t, e), testAuth(e))
		co := mustCodec(t, e)
		if n := testing.AllocsPerRun(100, func() {
			s := Session{codec: co}
			if _, err := s.Decode(auth, &m); err != nil {
				t.Fatal(err)
			}
		}); n != 1 {
			t.Errorf("%v: %v allocations for the first packet, want 1", e, n)
		}
	}
}
