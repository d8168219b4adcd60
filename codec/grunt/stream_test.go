package grunt

import (
	"bytes"
	"math"
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

// decodeAll feeds the pieces one after the other, as a reactor would, and stops at
// a violation.
func decodeAll(t failer, pieces [][]byte) (v verdict) {
	t.Helper()
	c := New(Options{})
	s := c.Open()
	var pending []byte
	for _, piece := range pieces {
		pending = append(pending, piece...)
		if _, ok := v.err.(*codec.Violation); ok {
			continue
		}
		for {
			var m codec.Message
			n, err := s.Decode(pending, &m)
			if v.err = err; err != nil {
				if n != 0 {
					t.Fatalf("%d bytes consumed with %v", n, err)
				}
				if err == codec.ErrShort && len(pending) >= c.MaxMessage() {
					t.Fatalf("%d bytes wait", len(pending))
				}
				break
			}
			if n < 1 || n > len(pending) {
				t.Fatalf("%d of %d bytes consumed", n, len(pending))
			}
			v.messages = append(v.messages, m)
			clear(pending[:n]) // no decoded message may alias them
			pending = pending[n:]
		}
	}
	v.left = len(pending)
	return v
}

// mustAgree fails unless both streams have the same result.
func mustAgree(t failer, got, want verdict) {
	t.Helper()
	if len(got.messages) != len(want.messages) || got.err != want.err || got.left != want.left {
		t.Fatalf("%d messages, %d bytes left, %v\nwant %d, %d, %v",
			len(got.messages), got.left, got.err, len(want.messages), want.left, want.err)
	}
	for i := range got.messages {
		if got.messages[i] != want.messages[i] {
			t.Fatalf("message %d: %+v\n want %+v", i, got.messages[i], want.messages[i])
		}
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

// fill draws random bytes for a field.
func fill(t *rapid.T, field []byte, label string) {
	copy(field, rapid.SliceOfN(rapid.Byte(), len(field), len(field)).Draw(t, label))
}

// drawHello draws a random Hello.
func drawHello(t *rapid.T) (h codec.Hello) {
	name := rapid.SliceOfN(rapid.ByteRange(1, 255), 1, codec.MaxName).Draw(t, "name")
	h.Name, _ = codec.NameOf(name)
	h.Build = rapid.OneOf(rapid.SampledFrom([]uint16{4125, 5875, 6299, 6320, 8606, 12340}), rapid.Uint16()).Draw(t, "build")
	h.Version = rapid.Byte().Draw(t, "version")
	h.TimeZone = rapid.Int32().Draw(t, "zone")
	for _, tag := range []*codec.Tag{&h.Platform, &h.System, &h.Locale} {
		copy(tag[:], rapid.StringMatching(`[A-Za-z0-9]{0,4}`).Draw(t, "tag"))
	}
	return h
}

// drawProof draws a proof with any factors that the layout has.
func drawProof(t *rapid.T, l Layout) (p Proof) {
	fill(t, p.A[:], "A")
	fill(t, p.M1[:], "M1")
	p.Factors = codec.Factors(rapid.Byte().Draw(t, "factors")) & l.Factors()
	if p.Factors&codec.FactorPIN != 0 {
		fill(t, p.PINHash[:], "pin")
	}
	if p.Factors&codec.FactorMatrix != 0 {
		fill(t, p.Matrix[:], "matrix")
	}
	if p.Factors&codec.FactorToken != 0 {
		p.TokenLen = rapid.Uint8Range(0, codec.MaxToken).Draw(t, "token length")
		fill(t, p.Token[:p.TokenLen], "token")
	}
	return p
}

// drawStream draws the stream of a valid client, sometimes with other bytes after it. It
// returns the messages that must be decoded.
func drawStream(t *rapid.T) (stream []byte, want []codec.Message) {
	h := drawHello(t)
	kind := rapid.SampledFrom([]codec.Kind{codec.KindLogonChallenge, codec.KindReconnectChallenge}).Draw(t, "kind")
	stream, _ = AppendChallenge(nil, kind, &h)
	want = []codec.Message{{Kind: kind, Hello: h}}
	if kind == codec.KindLogonChallenge {
		l := LayoutOf(Build(h.Build))
		p := drawProof(t, l)
		stream, _ = AppendProof(stream, l, &p)
		want = append(want, codec.Message{Kind: codec.KindLogonProof, Proof: p.Proof})
	} else {
		var r codec.Reconnect
		fill(t, r.R1[:], "R1")
		fill(t, r.R2[:], "R2")
		stream = AppendReconnectProof(stream, &r)
		want = append(want, codec.Message{Kind: codec.KindReconnectProof, Reconnect: r})
	}
	for range rapid.IntRange(0, 5).Draw(t, "more") {
		var m codec.Message
		stream, m = drawProven(t, stream)
		want = append(want, m)
	}
	return stream, want
}

// drawProven appends one message that is valid after a proof.
func drawProven(t *rapid.T, stream []byte) ([]byte, codec.Message) {
	switch rapid.IntRange(0, 4).Draw(t, "message") {
	case 0:
		return AppendRealmListRequest(stream), codec.Message{Kind: codec.KindWorldList}
	case 1:
		return AppendTransferAccept(stream), codec.Message{Kind: codec.KindTransferAccept}
	case 2:
		return AppendTransferCancel(stream), codec.Message{Kind: codec.KindTransferCancel}
	case 3:
		offset := rapid.Uint64().Draw(t, "offset")
		return AppendTransferResume(stream, offset), codec.Message{Kind: codec.KindTransferResume, Number: offset}
	}
	data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "survey")
	stream, _ = AppendSurveyResult(stream, &SurveyResult{ID: math.MaxUint32, Data: data})
	return stream, codec.Message{Kind: codec.KindSurveyResult}
}

func TestSession_Decode_AnySplitGivesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream, want := drawStream(t)
		tail := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "tail")
		cuts := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "cuts")

		got := decodeAll(t, cut(stream, cuts))
		mustAgree(t, got, verdict{messages: want, err: codec.ErrShort})

		stream = append(stream, tail...)
		whole := decodeAll(t, [][]byte{stream})
		mustAgree(t, decodeAll(t, cut(stream, cuts)), whole)
	})
}

func TestSession_Decode_ByteByByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream, want := drawStream(t)
		if n := len(stream); rapid.Bool().Draw(t, "broken") {
			stream[rapid.IntRange(0, n-1).Draw(t, "at")] ^= rapid.ByteRange(1, 255).Draw(t, "xor")
			want = nil
		}
		whole := decodeAll(t, [][]byte{stream})
		mustAgree(t, decodeAll(t, cut(stream, bytes.Repeat([]byte{1}, len(stream)))), whole)
		if want != nil {
			mustAgree(t, whole, verdict{messages: want, err: codec.ErrShort})
		}
	})
}
