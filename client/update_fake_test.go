package client_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"gatepass/auth/keyschedule"
	"gatepass/client"
	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

const (
	updateName  = "patch-8.bin"
	updateChunk = 100_000
	updateFrame = 30_000 // how much of the file a fake's frame has
)

// updater is the fake's end of a connection on which an update is offered. It speaks
// by the contract's messages themselves, since it has to say what a server cannot.
type updater struct {
	*peer
	in, out native.Direction
	file    []byte
	accept  *pb.AcceptUpdate
	acked   uint64
	pings   int
}

// newUpdater goes on behind Accepted.
func newUpdater(p *peer, keys *keyschedule.Keys, file []byte) *updater {
	return &updater{
		peer: p, file: file, in: native.NewDirection(&keys.ToServer), out: native.NewDirection(&keys.ToClient),
	}
}

// offerOf is a right offer of a file.
func offerOf(file []byte) *pb.UpdateOffered {
	sum := sha256.Sum256(file)
	m := &pb.UpdateOffered{
		FromBuild: 7, ToBuild: 8, Size: uint64(len(file)), Sha256: sum[:], ChunkSize: updateChunk,
		Name: updateName, Steps: 2, Total: uint64(len(file)) + 5,
	}
	for at := 0; at < len(file); at += updateChunk {
		h := sha256.Sum256(file[at:min(at+updateChunk, len(file))])
		m.ChunkHashes = append(m.ChunkHashes, h[:]...)
	}
	return m
}

// someFile is the same for the same seed.
func someFile(size int, seed uint64) []byte {
	b := make([]byte, size)
	for i, r := 0, rand.New(rand.NewPCG(seed, 1)); i < size; i++ {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (u *updater) tellFrame(f *pb.ServerFrame) {
	body, err := proto.Marshal(f)
	if err != nil {
		panic(err)
	}
	u.tell(u.out.Seal(nil, body), nil)
}

func (u *updater) offer(m *pb.UpdateOffered) {
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateOffered{UpdateOffered: m}})
}

func (u *updater) data(offset uint64, data []byte) {
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateData{UpdateData: &pb.UpdateData{Offset: offset, Data: data}}})
}

func (u *updater) failed(r pb.UpdateFailed_Reason) {
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateFailed{UpdateFailed: &pb.UpdateFailed{Reason: r}}})
}

func (u *updater) queued(position uint32) {
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateQueued{UpdateQueued: &pb.UpdateQueued{Position: position}}})
}

// hearFrame takes the client's next message; nil when it has hung up.
func (u *updater) hearFrame() *pb.ClientFrame {
	for {
		if len(u.rest) >= native.HeaderSize {
			if size := native.HeaderSize + int(binary.LittleEndian.Uint32(u.rest)); len(u.rest) >= size {
				body, err := u.in.Open(u.rest[:size])
				if err != nil {
					panic(err)
				}
				f := &pb.ClientFrame{}
				if err := proto.Unmarshal(body, f); err != nil {
					panic(err)
				}
				u.rest = u.rest[size:]
				return f
			}
		}
		more, open := <-u.raw
		if !open {
			return nil
		}
		u.rest = append(u.rest, more...)
	}
}

// onePing waits for a ping and answers it.
func (u *updater) onePing() {
	number := u.hearFrame().GetPing().GetNumber()
	u.pings++
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{Number: number}}})
}

// wanted is the client's next message that is no ping, which it answers.
func (u *updater) wanted() *pb.ClientFrame {
	for {
		f := u.hearFrame()
		if f.GetPing() == nil {
			return f
		}
		u.pings++
		u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{Number: f.GetPing().GetNumber()}}})
	}
}

// accepted waits for AcceptUpdate; false when something else came.
func (u *updater) accepted() bool {
	u.accept = u.wanted().GetAcceptUpdate()
	u.acked = u.accept.GetOffset()
	return u.accept != nil
}

// send sends the file up to end, never more than the window ahead; false when the
// client does not acknowledge.
func (u *updater) send(from, end uint64) bool {
	for at := from; at < end; {
		n := min(updateFrame, end-at)
		for at+n-u.acked > uint64(u.accept.GetWindow()) {
			if !u.heardAck() {
				return false
			}
		}
		u.data(at, u.file[at:at+n])
		at += n
	}
	return true
}

func (u *updater) heardAck() bool {
	m := u.wanted().GetUpdateReceived()
	if m == nil || m.GetOffset() <= u.acked {
		return false
	}
	u.acked = m.GetOffset()
	return true
}

// serve does what a server does from the offer on.
func (u *updater) serve() {
	u.offer(offerOf(u.file))
	if u.accepted() {
		u.serveFrom(u.accept.GetOffset())
	}
}

func (u *updater) serveFrom(at uint64) {
	if !u.send(at, uint64(len(u.file))) {
		return
	}
	for u.acked < uint64(len(u.file)) {
		if !u.heardAck() {
			return
		}
	}
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateSent{UpdateSent: &pb.UpdateSent{}}})
}

// updating is a fake that has play go on behind Accepted.
func updating(file []byte, play func(u *updater)) *fake {
	f := newFake()
	f.update = func(p *peer, keys *keyschedule.Keys) { play(newUpdater(p, keys, file)) }
	return f
}

func (f *fake) takingUpdates() client.Options {
	o := f.options()
	o.TakesUpdates = true
	return o
}

// folder is one with what is there of the file before, if anything.
func folder(t testing.TB, part []byte) string {
	t.Helper()
	dir := t.TempDir()
	if part != nil {
		if err := os.WriteFile(filepath.Join(dir, updateName+".part"), part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wantFiles compares a folder's files with names and contents.
func wantFiles(t testing.TB, dir string, want map[string][]byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(want) {
		t.Errorf("there are %v, want %d", entries, len(want))
	}
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s has %d bytes, want %d (%v)", name, len(got), len(content), err)
		}
	}
}
