package native

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

func BenchmarkDirection_Seal(b *testing.B) {
	for _, size := range []int{32, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			d := NewDirection(&testKeys.ToClient)
			body, dst := make([]byte, size), make([]byte, 0, size+64)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if dst = d.Seal(dst[:0], body); len(dst) != size+HeaderSize+SealSize {
					b.Fatal(len(dst))
				}
			}
		})
	}
}

func BenchmarkDirection_Open(b *testing.B) {
	for _, size := range []int{32, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			first := NewDirection(&testKeys.ToClient)
			seal := first
			frame := seal.Seal(nil, make([]byte, size))
			work := make([]byte, len(frame))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(work, frame)
				open := &first
				body, err := open.Open(work)
				if err != nil || len(body) != size {
					b.Fatal(err)
				}
				first.nonce = [12]byte{} // the same frame again
			}
		})
	}
}

func BenchmarkSession_PingPong(b *testing.B) {
	s, send, receive := mustOpen(b)
	body := mustMarshal(b, ping(77))
	var in, out []byte
	var m codec.Message
	b.ReportAllocs()
	for b.Loop() {
		in = send.Seal(in[:0], body)
		if _, err := s.Decode(in, &m); err != nil || m.Number != 77 {
			b.Fatal(err)
		}
		out, _ = s.Append(out[:0], &codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
		if _, err := receive.Open(out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name string
		body []byte
	}{{"Ping", mustMarshal(b, ping(77))}, {"SignIn", mustMarshal(b, signInFrame())}} {
		b.Run("by=hand/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var f fields
				if which, ok := loginEnvelope.parse(c.body, &f); !ok || which == 0 {
					b.Fatal("does not parse")
				}
			}
		})
		b.Run("by=generated/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var f pb.ClientFrame
				if err := proto.Unmarshal(c.body, &f); err != nil || f.Body == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSession_Handshake(b *testing.B) {
	first, second := inClear(mustMarshal(b, signInFrame())), inClear(mustMarshal(b, passwordProof))
	n := &codec.NativeReply{Group: 2048, PublicKey: make([]byte, 256)}
	c := New(Options{})
	var out []byte
	var m codec.Message
	b.ReportAllocs()
	for b.Loop() {
		s := c.Open()
		if _, err := s.Decode(first, &m); err != nil {
			b.Fatal(err)
		}
		out, _ = s.Append(out[:0], &codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: n})
		if _, err := s.Decode(second, &m); err != nil {
			b.Fatal(err)
		}
		if out, _ = s.Append(out, &codec.Reply{Kind: codec.ReplyAccepted, Native: n}); s.phase != phaseOpen {
			b.Fatal(s)
		}
	}
}

func BenchmarkAppendWorldSnapshot(b *testing.B) {
	two, _ := someWorlds()
	worlds := make([]World, 100)
	for i := range worlds {
		worlds[i] = two[0]
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if dst = AppendWorldSnapshot(dst[:0], 7, false, worlds); len(dst) < 3000 {
			b.Fatal(len(dst))
		}
	}
}

func allocs(t *testing.T, name string, want float64, f func()) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	if n := testing.AllocsPerRun(100, f); n != want {
		t.Errorf("%s: %v allocations, want %v", name, n, want)
	}
}

// The usual messages of an open session do not allocate.
func TestAllocs_SteadyState(t *testing.T) {
	s, send, _ := mustOpen(t)
	in, out := make([]byte, 0, 1<<12), make([]byte, 0, 1<<17)
	worlds, _ := someWorlds()
	shared := AppendWorldSnapshot(nil, 1, false, worlds)
	var m codec.Message
	for _, name := range []string{"Ping", "SelectWorld", "ReleaseWorld", "ForgetDevice", "AcceptUpdate", "UpdateReceived", "CancelUpdate"} {
		body := mustGolden(t, name)
		allocs(t, name, 0, func() {
			in = send.Seal(in[:0], body)
			if _, err := s.Decode(in[:len(in)-1], &m); err != codec.ErrShort {
				t.Fatal(err)
			}
			if _, err := s.Decode(in, &m); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, r := range tolds() {
		if !s.mayTell(r.reply.Kind) || r.reply.Kind == codec.ReplyRefused || r.reply.Kind == codec.ReplyKicked {
			continue
		}
		allocs(t, r.name, 0, func() { s.phase = phaseOpen; out = mustAppendTo(t, out[:0], s, &r.reply) })
	}
	allocs(t, "AppendFrame", 0, func() {
		var err error
		if out, err = s.AppendFrame(out[:0], shared); err != nil {
			t.Fatal(err)
		}
	})
	allocs(t, "AppendWorldSnapshot", 0, func() { out = AppendWorldSnapshot(out[:0], 1, false, worlds) })
}

func mustAppendTo(t *testing.T, dst []byte, s *Session, r *codec.Reply) []byte {
	dst, err := s.Append(dst, r)
	if err != nil {
		t.Fatal(err)
	}
	return dst
}

// A refusal and its violation do not allocate either, because any stranger can cause many.
func TestAllocs_Violations(t *testing.T) {
	out := make([]byte, 0, 1<<10)
	garbage := inClear([]byte("GET / HTTP/1.1"))
	fresh := New(Options{}).Open()
	saved := *fresh
	var m codec.Message
	allocs(t, "garbage", 0, func() {
		*fresh = saved
		_, err := fresh.Decode(garbage, &m)
		out = fresh.AppendViolation(out[:0], err.(*codec.Violation))
	})
	s, _, _ := mustOpen(t)
	kept := *s
	forged, work := bytes.Repeat([]byte{20, 0, 0, 0}, 6), make([]byte, 24)
	allocs(t, "broken seal", 0, func() {
		*s = kept
		copy(work, forged)
		_, err := s.Decode(work, &m)
		out = s.AppendViolation(out[:0], err.(*codec.Violation))
	})
}

// A message with fields outside Message allocates its NativeMessage and the contents of that.
func TestAllocs_NativeMessages(t *testing.T) {
	var m codec.Message
	for _, c := range saids() {
		want := 0.0
		switch {
		case c.want.Native == nil:
			continue
		case c.want.Native.PublicKey != nil, c.want.Native.Body != nil, c.want.Native.Text != "":
			want = 2
		default:
			want = 1
		}
		srv, seal := c.at(t)
		body := mustMarshal(t, c.frame)
		frame, work := inClear(body), make([]byte, 1<<13)
		if seal != nil {
			frame = seal.Seal(nil, body)
		}
		again := rewind(t, srv)
		allocs(t, c.name, want, func() {
			again()
			if _, err := srv.Decode(work[:copy(work, frame)], &m); err != nil {
				t.Fatal(c.name, err)
			}
		})
	}
}

// rewind returns a function that sets a session back to its present state.
func rewind(t testing.TB, s server) func() {
	t.Helper()
	switch s := s.(type) {
	case *Session:
		kept, said := *s, NewTranscript(false)
		return func() { *s = kept; restore(&s.link, &said) }
	case *GateSession:
		kept, said := *s, NewTranscript(true)
		return func() { *s = kept; restore(&s.link, &said) }
	}
	t.Fatalf("%T is neither session", s)
	return nil
}

func restore(l *link, said *Transcript) {
	if l.phase != phaseOpen {
		l.said = said
	}
}
