package native

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// The hand-written encoder writes the same bytes as generated code, for any contents.
func TestAppend_AgreesWithGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, f := range []func(t *rapid.T) (codec.Reply, *pb.ServerFrame){
			drawPasswordChallenge, drawRefused, drawRemembered, drawCharacters, drawPassIssued, drawSelectRefused, drawPlain, drawUpdateOffered, drawUpdateFailed,
		} {
			r, frame := f(t)
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(frame)
			if err != nil {
				t.Fatal(err)
			}
			s := Session{link{phase: phaseOpen}}
			if got := s.appendBody([]byte("before"), &r); string(got[:6]) != "before" || !bytes.Equal(got[6:], want) {
				t.Fatalf("%v: %x, want %x", r.Kind, got[6:], want)
			}
		}
	})
}

func draw32(t *rapid.T) (b [32]byte) {
	copy(b[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "32 bytes"))
	return b
}

func draw16(t *rapid.T) [16]byte { b := draw32(t); return [16]byte(b[:16]) }

func drawPasswordChallenge(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	n := &codec.NativeReply{Nonce: draw32(t), Group: rapid.Uint16().Draw(t, "group"), Salt: draw32(t),
		Memory: rapid.Uint32().Draw(t, "memory"), Passes: rapid.Uint32().Draw(t, "passes"), Lanes: rapid.Uint32().Draw(t, "lanes"),
		PublicKey: rapid.SliceOfN(rapid.Byte(), 0, 512).Draw(t, "key")}
	return codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: n}, &pb.ServerFrame{Body: &pb.ServerFrame_PasswordChallenge{
		PasswordChallenge: &pb.PasswordChallenge{Nonce: n.Nonce[:], Group: uint32(n.Group), Salt: n.Salt[:],
			Kdf: &pb.Argon2Id{MemoryKib: n.Memory, Passes: n.Passes, Lanes: n.Lanes}, PublicKey: n.PublicKey}}}
}

func drawRefused(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	r := codec.Reply{Kind: codec.ReplyRefused, Result: codec.Result(rapid.IntRange(0, int(codec.ResultCount)-1).Draw(t, "result")),
		Number: uint64(rapid.Uint32().Draw(t, "retry"))}
	return r, &pb.ServerFrame{Body: &pb.ServerFrame_Refused{Refused: &pb.Refused{Result: pb.Result(r.Result), RetryAfterMs: uint32(r.Number)}}}
}

func drawRemembered(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	n := &codec.NativeReply{Family: draw16(t), Key: draw32(t), Expires: rapid.Int64().Draw(t, "expires")}
	return codec.Reply{Kind: codec.ReplyRemembered, Native: n},
		&pb.ServerFrame{Body: &pb.ServerFrame_Remembered{Remembered: &pb.Remembered{Family: n.Family[:], Key: n.Key[:], Expires: n.Expires}}}
}

func drawCharacters(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	n, w := &codec.NativeReply{}, &pb.Characters{}
	for range rapid.IntRange(0, 60).Draw(t, "worlds") {
		c := codec.CharacterCount{World: rapid.Byte().Draw(t, "world"), Count: rapid.Byte().Draw(t, "count")}
		n.Counts = append(n.Counts, c)
		w.Counts = append(w.Counts, &pb.Characters_Count{World: uint32(c.World), Count: uint32(c.Count)})
	}
	return codec.Reply{Kind: codec.ReplyCharacters, Native: n}, &pb.ServerFrame{Body: &pb.ServerFrame_Characters{Characters: w}}
}

func drawPassIssued(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	n := &codec.NativeReply{Pass: draw16(t), Validity: rapid.Uint32().Draw(t, "validity"), Address: rapid.String().Draw(t, "address")}
	world := rapid.Byte().Draw(t, "world")
	return codec.Reply{Kind: codec.ReplyPassIssued, Number: uint64(world), Native: n}, &pb.ServerFrame{Body: &pb.ServerFrame_PassIssued{
		PassIssued: &pb.PassIssued{World: uint32(world), Address: n.Address, Pass: n.Pass[:], ValidityMs: n.Validity}}}
}

func drawSelectRefused(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	n := &codec.NativeReply{Reason: codec.SelectReason(rapid.ByteRange(0, 7).Draw(t, "reason"))}
	w := &pb.SelectRefused{World: 1, Reason: pb.SelectRefused_Reason(n.Reason)}
	for range rapid.IntRange(0, 8).Draw(t, "alternatives") {
		world := rapid.Byte().Draw(t, "world")
		n.Alternatives, w.Alternatives = append(n.Alternatives, world), append(w.Alternatives, uint32(world))
	}
	return codec.Reply{Kind: codec.ReplySelectRefused, Number: 1, Native: n}, &pb.ServerFrame{Body: &pb.ServerFrame_SelectRefused{SelectRefused: w}}
}

func drawPlain(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	n := rapid.Uint64().Draw(t, "number")
	return codec.Reply{Kind: codec.ReplyPong, Number: n}, &pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{Number: n}}}
}

func drawUpdateOffered(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	u := &codec.UpdateOffer{From: rapid.Uint16().Draw(t, "from"), To: rapid.Uint16().Draw(t, "to"), SHA256: draw32(t),
		ChunkSize: rapid.Uint32().Draw(t, "chunk"), Hashes: bytes.Repeat([]byte{9}, 32*rapid.IntRange(0, codec.MaxTransferChunks).Draw(t, "chunks")),
		Name: rapid.String().Draw(t, "name"), Steps: rapid.Uint32().Draw(t, "steps"), Total: rapid.Uint64().Draw(t, "total")}
	size := rapid.Uint64().Draw(t, "size")
	return codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: size}, Native: &codec.NativeReply{Update: u}},
		&pb.ServerFrame{Body: &pb.ServerFrame_UpdateOffered{UpdateOffered: &pb.UpdateOffered{FromBuild: uint32(u.From), ToBuild: uint32(u.To),
			Size: size, Sha256: u.SHA256[:], ChunkSize: u.ChunkSize, ChunkHashes: u.Hashes, Name: u.Name, Steps: u.Steps, Total: u.Total}}}
}

func drawUpdateFailed(t *rapid.T) (codec.Reply, *pb.ServerFrame) {
	e := codec.TransferEnd(rapid.ByteRange(0, byte(codec.TransferEndCount)-1).Draw(t, "end"))
	return codec.Reply{Kind: codec.ReplyTransferFailed, Ended: e},
		&pb.ServerFrame{Body: &pb.ServerFrame_UpdateFailed{UpdateFailed: &pb.UpdateFailed{Reason: pb.UpdateFailed_Reason(e)}}}
}

// Lists of worlds are long enough for lengths of one, two and three bytes.
func TestAppendWorlds_AgreesWithGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := WorldDelta{From: rapid.Uint64().Draw(t, "from"), To: rapid.Uint64().Draw(t, "to"), Stale: rapid.Bool().Draw(t, "stale"),
			Removed: rapid.SliceOf(rapid.Byte()).Draw(t, "removed")}
		delta := &pb.WorldDelta{From: d.From, To: d.To, Stale: d.Stale}
		for _, id := range d.Removed {
			delta.Removed = append(delta.Removed, uint32(id))
		}
		for range rapid.SampledFrom([]int{0, 1, 3, 255}).Draw(t, "worlds") {
			ours, theirs := drawWorld(t)
			d.Changed, delta.Changed = append(d.Changed, ours), append(delta.Changed, theirs)
		}
		mustEqualFrame(t, AppendWorldDelta(nil, &d), &pb.ServerFrame{Body: &pb.ServerFrame_WorldDelta{WorldDelta: delta}})
		snapshot := &pb.WorldSnapshot{Version: d.To, Worlds: delta.Changed, Stale: d.Stale}
		mustEqualFrame(t, AppendWorldSnapshot(nil, d.To, d.Stale, d.Changed), &pb.ServerFrame{Body: &pb.ServerFrame_WorldSnapshot{WorldSnapshot: snapshot}})
	})
}

func mustEqualFrame(t *rapid.T, got []byte, frame proto.Message) {
	t.Helper()
	if want, err := (proto.MarshalOptions{Deterministic: true}).Marshal(frame); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%x, want %x, %v", got, want, err)
	}
}

func drawWorld(t *rapid.T) (World, *pb.World) {
	// One draw for all worlds, because many draws for each of 255 worlds would take long.
	b := rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "world")
	w := World{ID: b[0], Name: string(bytes.Repeat([]byte("n"), int(b[1]%65))), Address: string(bytes.Repeat([]byte("a"), int(b[2]%129))),
		Kind: WorldKind(b[3] % 5), Category: b[4], Status: WorldStatus(b[5] % 4), Locked: b[6]%2 == 1, Full: b[7]%2 == 1,
		PopulationPercent: b[8], Queue: uint32(b[9]) << (b[10] % 25)}
	return w, &pb.World{Id: uint32(w.ID), Name: w.Name, Address: w.Address, Kind: pb.World_Kind(w.Kind), Category: uint32(w.Category),
		Status: pb.World_Status(w.Status), Locked: w.Locked, Full: w.Full, PopulationPercent: uint32(w.PopulationPercent), Queue: w.Queue}
}
