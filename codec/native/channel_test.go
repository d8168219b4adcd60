package native

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
	"pgregory.net/rapid"

	"gatepass/codec"
)

func TestDirection_IsWhatTheDocumentSays(t *testing.T) {
	key := [32]byte(seq(1, 32))
	d := NewDirection(&key)
	aead, err := chacha20poly1305.New(seq(1, 32))
	if err != nil {
		t.Fatal(err)
	}
	for count := range uint64(300) {
		body := seq(byte(count), int(count))
		var header [4]byte
		binary.LittleEndian.PutUint32(header[:], uint32(len(body)+16))
		nonce := binary.LittleEndian.AppendUint64(make([]byte, 4), count)
		want := aead.Seal(header[:], nonce, body, header[:])
		if got := d.Seal([]byte("before"), body); !bytes.Equal(got[6:], want) {
			t.Fatalf("frame %d: %x, want %x", count, got[6:], want)
		}
	}
	if d.Frames() != 300 {
		t.Errorf("%d frames", d.Frames())
	}
}

func TestDirection_SealsInPlaceAsElsewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		before := rapid.SliceOf(rapid.Byte()).Draw(t, "before")
		room := rapid.IntRange(0, 100).Draw(t, "room")
		a, b := NewDirection(&testKeys.ToClient), NewDirection(&testKeys.ToClient)
		dst := append(make([]byte, 0, len(before)+HeaderSize+len(body)+room), before...)
		dst = append(openFrame(dst), body...)
		if got, want := a.sealFrom(dst, len(before)), b.Seal(bytes.Clone(before), body); !bytes.Equal(got, want) {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}

func TestDirection_WearsOut(t *testing.T) {
	d := NewDirection(&testKeys.ToServer)
	binary.LittleEndian.PutUint64(d.nonce[4:], MaxFrames-1)
	e := d
	frame := d.Seal(nil, []byte("last"))
	if body, err := e.Open(frame); err != nil || string(body) != "last" {
		t.Fatal(err)
	}
	if !d.Worn() || !e.Worn() {
		t.Error("not worn after the last frame")
	}
	if _, err := e.Open(d.mustPanic(t)); err != brokenSeal {
		t.Error(err)
	}
	s, _, _ := mustOpen(t)
	binary.LittleEndian.PutUint64(s.out.nonce[4:], MaxFrames)
	if _, err := s.Append(nil, &codec.Reply{Kind: codec.ReplyPong}); err != ErrWorn {
		t.Error(err)
	}
	if _, err := s.AppendFrame(nil, []byte{1}); err != ErrWorn {
		t.Error(err)
	}
	if b := s.AppendViolation(nil, outOfTurn); len(b) != 0 {
		t.Errorf("%x", b)
	}
}

// mustPanic fails unless Seal panics. It returns nil, in place of a frame.
func (d *Direction) mustPanic(t *testing.T) []byte {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	d.Seal(nil, []byte("one more"))
	return nil
}

func TestTranscript_IsWhatTheDocumentSays(t *testing.T) {
	for gate, label := range map[bool]string{false: "gatepass v1 login", true: "gatepass v1 gate"} {
		got, want := NewTranscript(gate), sha256.Sum256([]byte(label))
		for _, body := range [][]byte{nil, []byte("one"), seq(0, 200)} {
			got.Add(body)
			one := sha256.Sum256(body)
			want = sha256.Sum256(append(want[:], one[:]...))
		}
		if got != want {
			t.Errorf("%s: %x, want %x", label, got, want)
		}
	}
}

// mustBreak feeds a frame that must not open, and checks the answer and the counters.
func mustBreak(t testing.TB, name string, s server, receive *Direction, b []byte) {
	t.Helper()
	v := mustViolate(t, s, b)
	if v.Message != SealViolation || v.Result != codec.ResultProtocol || !errors.Is(v, brokenSeal) {
		t.Errorf("%s: %+v", name, v)
	}
	told := s.AppendViolation(nil, v)
	if body, err := receive.Open(told); err != nil || len(body) == 0 {
		t.Errorf("%s: told %x, %v", name, told, err)
	}
	var m codec.Message
	if n, err := s.Decode(bytes.Clone(b), &m); n != 0 || err != codec.ErrShort {
		t.Errorf("%s: %d, %v after the end", name, n, err)
	}
}

// pings returns frames that were sealed one after another.
func pings(t testing.TB, send *Direction, count int) (frames [][]byte) {
	for i := range count {
		frames = append(frames, send.Seal(nil, mustMarshal(t, ping(uint64(i)+1000))))
	}
	return frames
}

func TestSession_Sealed_EveryFlippedBitIsFound(t *testing.T) {
	_, send, _ := mustOpen(t)
	frame := pings(t, send, 1)[0]
	for i := range len(frame) * 8 {
		s, _, receive := mustOpen(t)
		flipped := bytes.Clone(frame)
		flipped[i/8] ^= 1 << (i % 8)
		var m codec.Message
		if _, err := s.Decode(bytes.Clone(flipped), &m); err == codec.ErrShort {
			// The length says that more bytes follow. The bytes that do follow do not make it
			// valid.
			flipped = append(flipped, make([]byte, MaxLoginBody)...)
		}
		mustBreak(t, fmt.Sprintf("bit %d", i), s, receive, flipped)
	}
}

func TestSession_Sealed_WhatElseIsFound(t *testing.T) {
	other := testKeys
	other.ToServer[31]++
	for name, forge := range map[string]func(f [][]byte) []byte{
		"replayed":                func(f [][]byte) []byte { return f[0] },
		"one left out":            func(f [][]byte) []byte { return f[2] },
		"later and earlier":       func(f [][]byte) []byte { return append(bytes.Clone(f[2]), f[1]...) },
		"truncated":               func(f [][]byte) []byte { return append(bytes.Clone(f[1][:len(f[1])-1]), f[2]...) },
		"truncated, told so":      func(f [][]byte) []byte { b := bytes.Clone(f[1][:len(f[1])-1]); b[0]--; return b },
		"tag alone":               func(f [][]byte) []byte { return append([]byte{16, 0, 0, 0}, f[1][len(f[1])-16:]...) },
		"shorter than a tag":      func(f [][]byte) []byte { return append([]byte{15, 0, 0, 0}, f[1][len(f[1])-15:]...) },
		"spliced":                 func(f [][]byte) []byte { return append(bytes.Clone(f[1][:10]), f[2][10:]...) },
		"tag of another":          func(f [][]byte) []byte { return append(bytes.Clone(f[1][:len(f[1])-16]), f[2][len(f[2])-16:]...) },
		"two in one":              func(f [][]byte) []byte { return inClear(append(bytes.Clone(f[1][4:]), f[2][4:]...)) },
		"in the clear":            func([][]byte) []byte { return inClear(mustMarshal(t, ping(1))) },
		"of another connection":   func([][]byte) []byte { return pings(t, direction(&other.ToServer), 2)[1] },
		"of the other direction":  func([][]byte) []byte { return pings(t, direction(&testKeys.ToClient), 2)[1] },
		"of its own key, earlier": func([][]byte) []byte { return pings(t, direction(&testKeys.ToServer), 1)[0] },
	} {
		t.Run(name, func(t *testing.T) {
			s, send, receive := mustOpen(t)
			frames := pings(t, send, 3)
			mustDecode(t, s, frames[0])
			mustBreak(t, name, s, receive, forge(frames))
		})
	}
}

// A gate's session shares the code that is tested above; this test checks that.
func TestGateSession_Sealed_FlippedAndReplayed(t *testing.T) {
	s, send, receive := mustOpenGate(t)
	frame := send.Seal(nil, mustGolden(t, "gate GamePacket"))
	mustDecode(t, s, frame)
	mustBreak(t, "replayed", s, receive, frame)
	s, send, receive = mustOpenGate(t)
	frame = send.Seal(nil, mustGolden(t, "gate GamePacket"))
	frame[8] ^= 1
	mustBreak(t, "flipped", s, receive, frame)
}

// A frame that opens but is no message is the client's own fault and is counted as such.
func TestSession_Sealed_GarbageInsideIsNoBrokenSeal(t *testing.T) {
	for _, body := range [][]byte{nil, {0xFF}, {0x78, 1}} {
		s, send, _ := mustOpen(t)
		if v := mustViolate(t, s, send.Seal(nil, body)); v.Message == SealViolation || v.Result != codec.ResultProtocol {
			t.Errorf("%x: %+v", body, v)
		}
	}
}

// The client detects frames that were changed on their way to it.
func TestDirection_Open_OfTheClient(t *testing.T) {
	s, _, receive := mustOpen(t)
	first := mustAppend(t, s, codec.Reply{Kind: codec.ReplyPong, Number: 1})
	second := mustAppend(t, s, codec.Reply{Kind: codec.ReplyPong, Number: 2})
	if _, err := receive.Open(first); err != nil {
		t.Fatal(err)
	}
	if _, err := receive.Open(second[:len(second)-1]); err != brokenSeal {
		t.Error(err)
	}
	if _, err := receive.Open(nil); err != brokenSeal {
		t.Error(err)
	}
	if body, err := receive.Open(bytes.Clone(second)); err != nil || len(body) == 0 {
		t.Errorf("%x, %v: what is not even a frame does not end the channel", body, err)
	}
	if _, err := receive.Open(bytes.Clone(second)); err != brokenSeal || !receive.Worn() {
		t.Errorf("%v: what has failed once opens nothing", err)
	}
}
