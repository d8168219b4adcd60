package grunt

import (
	"testing"

	"gatepass/codec"
)

func BenchmarkSession_Decode(b *testing.B) {
	c := New(Options{})
	challenge := challengeBytes(b, codec.KindLogonChallenge, Build335)
	proof := proofBytes(b, Layout8, 0)
	b.Run("message=challenge+proof", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(challenge) + len(proof)))
		var m codec.Message
		for b.Loop() {
			s := Session{codec: c}
			if _, err := s.Decode(challenge, &m); err != nil || m.Hello.Build != uint16(Build335) {
				b.Fatal(err)
			}
			if _, err := s.Decode(proof, &m); err != nil || m.Proof.A[0] != 1 {
				b.Fatal(err)
			}
		}
	})
	b.Run("message=half-challenge", func(b *testing.B) {
		b.ReportAllocs()
		var m codec.Message
		s := Session{codec: c}
		for b.Loop() {
			if _, err := s.Decode(challenge[:20], &m); err != codec.ErrShort {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSession_Append(b *testing.B) {
	for _, r := range []codec.Reply{
		{Kind: codec.ReplyLogonChallenge}, {Kind: codec.ReplyLogonProof},
		{Kind: codec.ReplyReconnectChallenge}, {Kind: codec.ReplyReconnectProof},
	} {
		b.Run("reply="+r.Kind.String(), func(b *testing.B) {
			s := mustOpen(b, Build335, true)
			want := len(mustAppend(b, s, &r))
			buf := make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				out, err := s.Append(buf, &r)
				if err != nil || len(out) != want {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendRealmList(b *testing.B) {
	realms := make([]Realm, 10)
	for i := range realms {
		realms[i] = Realm{Name: "Some realm", Address: "192.0.2.1:8085", Population: 1, ID: uint8(i)}
	}
	want := len(mustList(b, Build335, realms...))
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		out, err := AppendRealmList(buf, Build335, realms)
		if err != nil || len(out) != want {
			b.Fatal(err)
		}
	}
}
