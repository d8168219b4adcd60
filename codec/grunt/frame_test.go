package grunt

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"gatepass/codec"
)

// mustOffer opens a session in which a file was offered and the client has answered the offer.
func mustOffer(t testing.TB, answer []byte) *Session {
	t.Helper()
	s := mustOpen(t, Build335, true)
	mustAppend(t, s, refusalOf(codec.ReplyLogonProof, codec.ResultVersionUpdate))
	mustAppend(t, s, &codec.Reply{Kind: codec.ReplyTransferOffer})
	mustDecode(t, s, answer)
	return s
}

// mustFrameFile frames data in place.
func mustFrameFile(t failer, s *Session, data []byte) []byte {
	t.Helper()
	f := s.FileFrame()
	frame := bytes.Repeat([]byte{0xDB}, f.Size())
	copy(frame[f.Head:], data)
	size := s.FrameFile(frame, 77, len(data))
	if size != f.Head+len(data) {
		t.Fatalf("a frame of %d bytes", size)
	}
	return frame[:size]
}

// A frame made in place equals the output of AppendTransferData and is parsed like it.
func TestFrameFile_IsATransferData(t *testing.T) {
	s := mustOffer(t, AppendTransferAccept(nil))
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 1, MaxTransferChunk).Draw(t, "data")
		got := mustFrameFile(t, s, data)
		if want, err := AppendTransferData(nil, data); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%x, want %x, %v", got[:3], want[:3], err)
		}
		if back, n, err := ParseTransferData(got); err != nil || n != len(got) || !bytes.Equal(back, data) {
			t.Fatalf("%d of %d bytes, %v", n, len(got), err)
		}
		s.UnframeFile(1) // changes nothing
	})
}

// FuzzFrameFile reads frames made in place, whole and split.
func FuzzFrameFile(f *testing.F) {
	f.Add([]byte{0x31}, uint16(0))
	f.Add(bytes.Repeat([]byte{1}, MaxTransferChunk), uint16(2))
	s := mustOffer(f, AppendTransferAccept(nil))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		if len(data) == 0 || len(data) > MaxTransferChunk {
			t.Skip("never framed")
		}
		frame := mustFrameFile(t, s, data)
		if back, n, err := ParseTransferData(frame); err != nil || n != len(frame) || !bytes.Equal(back, data) {
			t.Errorf("%d of %d bytes, %v", n, len(frame), err)
		}
		if n := int(cut) % len(frame); n > 0 {
			if _, _, err := ParseTransferData(frame[:n]); err != codec.ErrShort {
				t.Errorf("%d of %d bytes: %v", n, len(frame), err)
			}
		}
	})
}

func TestFrameFile_ADataFrameIs4096BytesOfTheFile(t *testing.T) {
	s := mustOffer(t, AppendTransferAccept(nil))
	if got := s.FileFrame(); got != (codec.FileFrame{Head: 3, Data: 4096}) {
		t.Errorf("%+v", got)
	}
	mustBytes(t, "full frame", mustFrameFile(t, s, make([]byte, MaxTransferChunk))[:3], "310010")
}

func TestFrameFile_NothingBehindARefusal(t *testing.T) {
	s := mustOpen(t, Build335, true)
	mustAppend(t, s, refusalOf(codec.ReplyLogonProof, codec.ResultBanned))
	if n := s.FrameFile(make([]byte, s.FileFrame().Size()), 0, 9); n != 0 {
		t.Errorf("%d bytes", n)
	}
}

func TestFrameFile_WrongSizesPanic(t *testing.T) {
	s := mustOffer(t, AppendTransferAccept(nil))
	full := make([]byte, s.FileFrame().Size())
	for _, c := range []struct {
		frame []byte
		n     int
	}{{full, -1}, {full, 0}, {full, MaxTransferChunk + 1}, {full[1:], 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d in %d bytes: no panic", c.n, len(c.frame))
				}
			}()
			s.FrameFile(c.frame, 0, c.n)
		}()
	}
}

// A reactor uses one message for all of its clients, so a window that another client asked for
// must not stay in it.
func TestSession_Decode_TransferAnswersHaveNoWindow(t *testing.T) {
	for _, answer := range [][]byte{AppendTransferAccept(nil), AppendTransferResume(nil, 9)} {
		s := mustOffer(t, AppendTransferAccept(nil))
		s.phase = phaseOffered
		m := codec.Message{Window: 1 << 20}
		if _, err := s.Decode(answer, &m); err != nil || m.Window != 0 {
			t.Errorf("%v: window %d, %v", m.Kind, m.Window, err)
		}
	}
}

func TestFrameFile_Allocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := mustOffer(t, AppendTransferAccept(nil))
	frame := make([]byte, s.FileFrame().Size())
	if n := testing.AllocsPerRun(100, func() {
		if s.FrameFile(frame, 0, MaxTransferChunk) == 0 {
			t.Fatal("no frame")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkSession_FrameFile(b *testing.B) {
	for _, n := range []int{MaxTransferChunk, 1 << 10} {
		b.Run(fmt.Sprintf("data=%d", n), func(b *testing.B) {
			s := mustOffer(b, AppendTransferAccept(nil))
			frame := make([]byte, s.FileFrame().Size())
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if s.FrameFile(frame, 0, n) != transferHead+n {
					b.Fatal("no frame")
				}
			}
		})
	}
}
