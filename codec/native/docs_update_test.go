package native

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// commas writes a number as the pages do.
func commas(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// exampleWindow is a download that continues an earlier attempt, with a client that
// acknowledges as late as it may.
func exampleWindow(e *example) {
	const size, chunk, had, window = 10_000_000, 256 << 10, 1_000_000, 256 << 10
	chunks, whole := (size+chunk-1)/chunk, had/chunk
	at := whole * chunk
	e.say("the file", fmt.Sprintf("%s bytes, %d chunks of %s, the last of %s", commas(size), chunks, commas(chunk), commas(size-(chunks-1)*chunk)))
	e.say("on the disk", fmt.Sprintf("%s bytes: %d whole chunks, all right, and a part of the next", commas(had), whole))
	e.say("kept", commas(at)+" bytes, the rest is cut off")
	e.say("AcceptUpdate ▶", fmt.Sprintf("offset %s, window %s", commas(at), commas(window)))
	e.say("", fmt.Sprintf("the server may send what is before %s; an acknowledgement each %s", commas(at+window), commas(window/4)))
	frames, acked, acks := 0, at, 0
	for at < size {
		n := min(fileFrame.Data, size-at)
		frames, at = frames+1, at+n
		late := at-acked >= window/4
		if frames == 1 || acks < 2 && late || at == size {
			e.say(fmt.Sprintf("◀ UpdateData %s", commas(frames)), fmt.Sprintf("%s to %s", commas(at-n), commas(at-1)))
		}
		if !late && at < size {
			continue
		}
		if acked, acks = at, acks+1; acks <= 2 || at == size {
			e.say(fmt.Sprintf("UpdateReceived %d ▶", acks), fmt.Sprintf("offset %s: the server may send what is before %s", commas(at), commas(min(size, at+window))))
		}
	}
	e.say("◀ UpdateSent", "and the connection is closed")
}

// exampleUpdate is a whole update with its bytes.
func exampleUpdate(t testing.TB, e *example) {
	file := make([]byte, 4200)
	for i := range file {
		file[i] = byte(i % 251)
	}
	const chunk = 4096
	toServer, toClient := seq(0x80, 32), seq(0xC0, 32)
	s := toProving(t)
	mustAppend(t, s, codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{
		Keys: codec.ChannelKeys{ToServer: [32]byte(toServer), ToClient: [32]byte(toClient)}}})
	e.put("key: to server", toServer)
	e.put("key: to client", toClient)
	e.say("the file", "4,200 bytes, chunks of 4,096")
	hashes := append(hash(file[:chunk]), hash(file[chunk:])...)
	e.put("sha256", hash(file))
	e.put("chunk_hashes", hashes)
	c := &sealedTalk{t: t, example: e, s: s, toServer: toServer, toClient: toClient}

	offer := &codec.UpdateOffer{From: 12340, To: 12341, SHA256: [32]byte(hash(file)), ChunkSize: chunk, Hashes: hashes, Name: "12341.bin", Steps: 1, Total: 4200}
	c.tells("UpdateOffered", mustAppend(t, s, codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: 4200}, Native: &codec.NativeReply{Update: offer}}),
		&pb.ServerFrame{Body: &pb.ServerFrame_UpdateOffered{UpdateOffered: &pb.UpdateOffered{FromBuild: 12340, ToBuild: 12341, Size: 4200,
			Sha256: hash(file), ChunkSize: chunk, ChunkHashes: hashes, Name: "12341.bin", Steps: 1, Total: 4200}}})
	m := c.says("AcceptUpdate", "AcceptUpdate{offset: 4096, window: 65536}",
		&pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{AcceptUpdate: &pb.AcceptUpdate{Offset: chunk, Window: 65536}}})
	if m.Kind != codec.KindTransferResume || m.Number != chunk || m.Window != 65536 {
		t.Errorf("the session heard %+v", m)
	}
	c.tells("UpdateData", mustFrameFile(t, s, chunk, file[chunk:]),
		&pb.ServerFrame{Body: &pb.ServerFrame_UpdateData{UpdateData: &pb.UpdateData{Offset: chunk, Data: file[chunk:]}}})
	m = c.says("UpdateReceived", "UpdateReceived{offset: 4200}",
		&pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{UpdateReceived: &pb.UpdateReceived{Offset: 4200}}})
	if m.Kind != codec.KindTransferAck || m.Number != 4200 {
		t.Errorf("the session heard %+v", m)
	}
	c.tells("UpdateSent", mustAppend(t, s, codec.Reply{Kind: codec.ReplyTransferDone}),
		&pb.ServerFrame{Body: &pb.ServerFrame_UpdateSent{UpdateSent: &pb.UpdateSent{}}})
}

// sealedTalk has the messages on an open channel, with the number of each frame.
type sealedTalk struct {
	t testing.TB
	*example
	s                  *Session
	toServer, toClient []byte
	said, told         uint64
}

func (c *sealedTalk) says(name, text string, frame *pb.ClientFrame) codec.Message {
	c.t.Helper()
	body := mustMarshal(c.t, frame)
	c.say("says the client", fmt.Sprintf("%s, frame %d to the server", text, c.said))
	c.put("body", body)
	m := mustDecode(c.t, c.s, c.frame(name, mustSealFrame(c.t, c.toServer, c.said, body)))
	c.said++
	return m
}

func (c *sealedTalk) tells(name string, got []byte, frame *pb.ServerFrame) {
	c.t.Helper()
	body := mustMarshal(c.t, frame)
	c.say("says the server", fmt.Sprintf("%s, frame %d to the client", name, c.told))
	c.put("body", body)
	if c.put(name+" frame", got); !bytes.Equal(got, mustSealFrame(c.t, c.toClient, c.told, body)) {
		c.t.Errorf("%s is sealed in another way", name)
	}
	c.told++
}

// The limits in the pages equal those of the code.
func TestDocs_BoundsOfUpdates(t *testing.T) {
	text := mustAllText(t)
	s, _, _ := mustOpen(t)
	offered := len(mustAppend(t, s, codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: 1<<64 - 1},
		Native: &codec.NativeReply{Update: longestOffer}})) - HeaderSize - SealSize
	for _, row := range []string{
		fmt.Sprintf("| server | of a file | %s B, the `data` of an `UpdateData` %s B: %s B with length and tag |",
			commas(maxFileFrame-HeaderSize-SealSize), commas(fileFrame.Data), commas(fileFrame.Size())),
		fmt.Sprintf("| server | UpdateOffered | %s B, with %d chunks and a name of %d B |", commas(offered), codec.MaxTransferChunks, codec.MaxTransferName),
		fmt.Sprintf("%d KiB to %d MiB", MinUpdateWindow>>10, MaxUpdateWindow>>20),
	} {
		if !strings.Contains(text, row) {
			t.Errorf("%s: nothing says %q", pages, row)
		}
	}
	for number, name := range pb.UpdateFailed_Reason_name {
		if number != 0 && !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("%s: no %s", pages, name)
		}
	}
}
