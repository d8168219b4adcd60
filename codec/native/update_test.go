package native

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// piece is a part of a file, from which frame makes its UpdateData.
type piece struct {
	name   string
	offset uint64
	data   []byte
}

func (p *piece) frame() *pb.ServerFrame {
	return &pb.ServerFrame{Body: &pb.ServerFrame_UpdateData{UpdateData: &pb.UpdateData{Offset: p.offset, Data: p.data}}}
}

// pieces returns pieces for all lengths of a frame's head.
func pieces() []piece {
	return []piece{
		{"UpdateData", 5 << 30, seq(1, 200)},
		{"UpdateData, the first", 0, seq(1, 5)},
		{"UpdateData, one byte", 1, seq(0, 1)},
	}
}

// place returns a buffer for a full frame with data at its position, and random bytes
// elsewhere.
func place(data []byte) []byte {
	frame := bytes.Repeat([]byte{0xDB}, fileFrame.Size())
	copy(frame[fileFrame.Head:], data)
	return frame
}

func mustFrameFile(t failer, s *Session, offset uint64, data []byte) []byte {
	t.Helper()
	frame := place(data)
	size := s.FrameFile(frame, offset, len(data))
	if size < HeaderSize+SealSize || size > len(frame) {
		t.Fatalf("a frame of %d bytes", size)
	}
	return frame[:size]
}

// framer checks consecutive frames of one channel.
func framer(t testing.TB) (check func(t failer, p piece)) {
	sealed := direction(&testKeys.ToClient)
	s, _, receive := mustOpen(t)
	return func(t failer, p piece) {
		t.Helper()
		body, err := proto.MarshalOptions{Deterministic: true}.Marshal(p.frame())
		if err != nil {
			t.Fatalf("%v", err)
		}
		want := sealed.Seal(nil, body)
		got := mustFrameFile(t, s, p.offset, p.data)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes at %d: %x…, want %x…", len(p.data), p.offset, got[:20], want[:20])
		}
		if opened, err := receive.Open(got); err != nil || !bytes.Equal(opened, body) {
			t.Fatalf("%d bytes at %d do not open: %v", len(p.data), p.offset, err)
		}
	}
}

// FuzzFrameFile is the same test with inputs from a fuzzer.
func FuzzFrameFile(f *testing.F) {
	for _, p := range pieces() {
		f.Add(p.offset, p.data)
	}
	check := framer(f)
	f.Fuzz(func(t *testing.T, offset uint64, data []byte) {
		if len(data) == 0 || len(data) > fileFrame.Data {
			t.Skip("never framed")
		}
		check(t, piece{offset: offset, data: data})
	})
}

// A frame made in place equals the output of generated code and Seal, whatever the bytes
// around it and the earlier frames.
func TestFrameFile_IsWhatGeneratedCodeAndSealMake(t *testing.T) {
	check := framer(t)
	for _, offset := range []uint64{0, 1, 1<<64 - 1} {
		for n := 1; n <= fileFrame.Data; n++ { // the step of each varint is among them
			check(t, piece{offset: offset, data: seq(byte(n), n)})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, piece{offset: rapid.Uint64().Draw(t, "offset"), data: rapid.SliceOfN(rapid.Byte(), 1, fileFrame.Data).Draw(t, "data")})
	})
}

func TestFrameFile_AFullOneIsAPage(t *testing.T) {
	s, _, _ := mustOpen(t)
	if got := s.FileFrame(); got != (codec.FileFrame{Head: 20, Data: 16348, Tail: 16}) || got.Size() != maxFileFrame {
		t.Fatalf("%+v", got)
	}
	if n := len(mustFrameFile(t, s, 1, make([]byte, fileFrame.Data))); n != maxFileFrame {
		t.Errorf("a full frame has %d bytes", n)
	}
}

// The other side sees one sequence of frames, even if other frames were made and undone in
// between.
func TestUnframeFile_NobodyNotices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Session{link{phase: phaseOpen, out: NewDirection(&testKeys.ToClient)}}
		receive := direction(&testKeys.ToClient)
		sent, framed := uint64(1), 0
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0: // dropped
				mustFrameFile(t, s, sent, []byte("what nobody will see"))
				framed++
			case 1: // undone, all of them
				s.UnframeFile(framed)
				framed = 0
			default: // sent
				s.UnframeFile(framed)
				framed = 0
				frame := mustFrameFile(t, s, sent, []byte("data"))
				if _, err := receive.Open(frame); err != nil {
					t.Fatalf("frame %d: %v", sent, err)
				}
				sent++
			}
		}
		if got := s.out.Frames() - uint64(framed); got != sent-1 {
			t.Fatalf("%d frames, %d were sent", got, sent-1)
		}
	})
}

func TestUnframeFile_MoreThanThereWerePanics(t *testing.T) {
	for _, frames := range []int{-1, 2} {
		s, _, _ := mustOpen(t)
		mustFrameFile(t, s, 0, []byte("data"))
		mustPanic(t, fmt.Sprint(frames), func() { s.UnframeFile(frames) })
	}
}

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", name)
		}
	}()
	f()
}

func TestFrameFile_WrongSizesPanic(t *testing.T) {
	s, _, _ := mustOpen(t)
	for _, n := range []int{-1, 0, fileFrame.Data + 1} {
		mustPanic(t, fmt.Sprint(n), func() { s.FrameFile(place(nil), 1, n) })
	}
	mustPanic(t, "no room", func() { s.FrameFile(place(nil)[:fileFrame.Size()-1], 1, 1) })
}

// A file is sent on an open channel only: not in the clear, not after the end.
func TestFrameFile_OnlyWhereItCanBeSaid(t *testing.T) {
	ended, _, _ := mustOpen(t)
	mustAppend(t, ended, codec.Reply{Kind: codec.ReplyTransferFailed, Ended: codec.TransferFault})
	over, _, _ := mustOpen(t)
	mustAppend(t, over, codec.Reply{Kind: codec.ReplyKicked})
	worn, _, _ := mustOpen(t)
	binary.LittleEndian.PutUint64(worn.out.nonce[4:], MaxFrames)
	for name, s := range map[string]*Session{"start": New(Options{}).Open(), "proving": toProving(t), "ended": ended, "over": over, "worn": worn} {
		before := s.out.Frames()
		if n := s.FrameFile(place(seq(1, 9)), 1, 9); n != 0 || s.out.Frames() != before {
			t.Errorf("%s: %d bytes", name, n)
		}
		if s.phase != phaseOpen {
			s.UnframeFile(3) // of earlier frames; no effect
		}
	}
}

func TestGate_CarriesNoFiles(t *testing.T) {
	var s any = NewGate(testWorld).Open()
	if _, framer := s.(interface{ FileFrame() codec.FileFrame }); framer {
		t.Error("a gate's session frames files")
	}
	for _, kind := range []codec.ReplyKind{codec.ReplyTransferOffer, codec.ReplyTransferQueued, codec.ReplyTransferDone, codec.ReplyTransferFailed} {
		g, _, _ := mustOpenGate(t)
		mustPanic(t, kind.String(), func() { _, _ = g.Append(nil, &codec.Reply{Kind: kind, Native: &codec.NativeReply{Update: someUpdate}}) })
	}
	for _, body := range []string{"AcceptUpdate", "UpdateReceived", "CancelUpdate"} {
		g, send, _ := mustOpenGate(t)
		if v := mustViolate(t, g, send.Seal(nil, mustGolden(t, body))); v != noBody {
			t.Errorf("%s: %v", body, v)
		}
	}
}

func TestAcceptUpdate_WindowIsWithinItsBounds(t *testing.T) {
	for said, want := range map[uint32]uint32{0: 64 << 10, 1: 64 << 10, 64<<10 + 1: 64<<10 + 1, 16 << 20: 16 << 20, 16<<20 + 1: 16 << 20, 1<<32 - 1: 16 << 20} {
		s, send, _ := mustOpen(t)
		m := mustDecode(t, s, send.Seal(nil, mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{
			AcceptUpdate: &pb.AcceptUpdate{Offset: 7, Window: said}}})))
		if m.Kind != codec.KindTransferResume || m.Number != 7 || m.Window != want {
			t.Errorf("%d: %v from %d, window %d", said, m.Kind, m.Number, m.Window)
		}
	}
}

func TestUpdate_NothingOfItInTheClear(t *testing.T) {
	for _, body := range []string{"AcceptUpdate", "UpdateReceived", "CancelUpdate"} {
		for name, s := range map[string]server{"start": New(Options{}).Open(), "password": toPassword(t)} {
			if v := mustViolate(t, s, inClear(mustGolden(t, body))); v != outOfTurn {
				t.Errorf("%s, %s: %v", name, body, v)
			}
		}
	}
	for _, s := range []*Session{toPassword(t), toProving(t)} {
		if _, err := s.Append(nil, &codec.Reply{Kind: codec.ReplyTransferOffer, Native: &codec.NativeReply{Update: someUpdate}}); err != ErrPhase {
			t.Errorf("%v: offered with %v", s, err)
		}
	}
}

// After the end of an update a client is sent only the reason of its disconnection. Its own
// frames still open, because acknowledgements may be in transit.
func TestUpdate_NothingIsToldBehindItsEnd(t *testing.T) {
	for _, kind := range []codec.ReplyKind{codec.ReplyTransferDone, codec.ReplyTransferFailed} {
		s, send, receive := mustOpen(t)
		mustAppend(t, s, codec.Reply{Kind: kind, Ended: codec.TransferOffset})
		for _, body := range []string{"UpdateReceived", "CancelUpdate", "Ping"} {
			mustDecode(t, s, send.Seal(nil, mustGolden(t, body)))
		}
		for _, r := range tolds() {
			switch r.reply.Kind {
			case codec.ReplyKicked, codec.ReplyGoingAway, codec.ReplyRefused:
				continue
			}
			if b, err := s.Append(nil, &r.reply); err != ErrPhase || len(b) != 0 {
				t.Errorf("%s behind %v: %d bytes, %v", r.name, kind, len(b), err)
			}
		}
		if _, err := s.AppendFrame(nil, []byte{1}); err != ErrPhase {
			t.Errorf("a shared frame behind %v: %v", kind, err)
		}
		for i, r := range []codec.Reply{{Kind: codec.ReplyGoingAway}, {Kind: codec.ReplyKicked, Result: codec.ResultIdle}} {
			frame := mustAppend(t, s, r)
			if i == 0 { // the frame of the end is before it
				receive.advance()
			}
			if _, err := receive.Open(frame); err != nil {
				t.Errorf("%v behind %v: %v", r.Kind, kind, err)
			}
		}
	}
}

// longestOffer is the longest possible offer.
var longestOffer = &codec.UpdateOffer{From: 1<<16 - 1, To: 1<<16 - 1, ChunkSize: 1<<32 - 1, SHA256: [32]byte(seq(1, 32)),
	Hashes: seq(1, 32*codec.MaxTransferChunks), Name: string(seq('0', codec.MaxTransferName)), Steps: 1<<32 - 1, Total: 1<<64 - 1}

// The longest offer fits into one write to a new socket, as codec promises.
func TestUpdateOffered_TheLongestIsBelow16KiB(t *testing.T) {
	s, _, _ := mustOpen(t)
	b := mustAppend(t, s, codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: 1<<64 - 1}, Native: &codec.NativeReply{Update: longestOffer}})
	if len(b) > 16<<10 {
		t.Errorf("%d bytes", len(b))
	}
}

func TestAllocs_FrameFile(t *testing.T) {
	s, _, _ := mustOpen(t)
	frame := place(nil)
	for _, p := range []piece{{"full", 1, make([]byte, fileFrame.Data)}, {"first", 0, make([]byte, 5)}} {
		allocs(t, p.name, 0, func() {
			if s.FrameFile(frame, p.offset, len(p.data)) == 0 {
				t.Fatal("no frame")
			}
			s.UnframeFile(1)
		})
	}
}

func BenchmarkSession_FrameFile(b *testing.B) {
	for _, n := range []int{fileFrame.Data, 1 << 10} {
		b.Run(fmt.Sprintf("data=%d", n), func(b *testing.B) {
			s, _, _ := mustOpen(b)
			turn := make([]byte, 16*fileFrame.Size())
			offset := uint64(1)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				at := int(offset) % 16 * fileFrame.Size()
				if s.FrameFile(turn[at:at+fileFrame.Size()], offset, n) == 0 {
					b.Fatal("no frame")
				}
				offset++
			}
		})
	}
}

func BenchmarkSession_Ack(b *testing.B) {
	s, send, _ := mustOpen(b)
	frame := send.Seal(nil, mustGolden(b, "UpdateReceived"))
	kept, work := *s, make([]byte, len(frame))
	var m codec.Message
	b.ReportAllocs()
	for b.Loop() {
		*s = kept
		copy(work, frame)
		if _, err := s.Decode(work, &m); err != nil || m.Kind != codec.KindTransferAck {
			b.Fatal(err)
		}
	}
}
