package client

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

const (
	// updatePing is the ping interval of a connection with an offer, which has no Welcome with
	// an interval. By default, servers close silent connections after 90 s.
	updatePing = 20 * time.Second
	// farewellWithin limits the last message to a server that may not read any more.
	farewellWithin = time.Second
)

// UpdateOffer is the error of a Login whose client must be updated first, if
// Options.TakesUpdates is set. Use errors.As to get it; errors.Is also matches ErrUpdate.
// The offer keeps its connection open and has a goroutine that pings, until Download has
// returned or Close is called; the caller must call one of them. A server closes the
// connection if the caller does not decide within minutes. The fields are the server's
// values, checked for consistency. They must not be changed.
type UpdateOffer struct {
	// From and To are the builds before and after the update.
	From, To uint16
	// Size is the length of the file in bytes, 1 byte to 1 TiB.
	Size   uint64
	SHA256 [32]byte
	// ChunkSize is how many bytes of the file each hash covers. An interrupted download keeps
	// whole chunks.
	ChunkSize uint32
	// Name is the file's name from the server, changed so that it cannot be a path, a hidden
	// file or a device.
	Name string
	// Steps is how many files are needed to reach an accepted build, with this one, and Total
	// is the sum of their sizes in bytes. The next file is offered to the updated build.
	Steps int
	Total uint64

	hashes []byte // 32 bytes for each chunk
	talk   *talk  // nil if no Login has made the offer
}

func (u *UpdateOffer) Error() string {
	return fmt.Sprintf("client: build %d must be updated to build %d, by %d bytes", u.From, u.To, u.Size)
}

// Is reports whether target is ErrUpdate, which clients get that do not take updates.
func (u *UpdateOffer) Is(target error) bool { return ErrUpdate.Is(target) }

// Close declines the offer or cancels its Download, and ends the connection. Any goroutine
// may call it, more than once.
func (u *UpdateOffer) Close() error {
	if u.talk != nil {
		u.talk.cancel()
	}
	return nil
}

// newOffer returns the offer as an error. If its numbers are not consistent, the error is
// ErrProtocol.
func newOffer(l *link, m *pb.UpdateOffered) error {
	if err := checkOffer(m); err != nil {
		return fmt.Errorf("%w: an offer of an update: %w", ErrProtocol, err)
	}
	u := &UpdateOffer{
		From: uint16(m.GetFromBuild()), To: uint16(m.GetToBuild()),
		Size: m.GetSize(), SHA256: [32]byte(m.GetSha256()), ChunkSize: m.GetChunkSize(),
		Steps: int(min(max(m.GetSteps(), 1), math.MaxUint16)), Total: max(m.GetTotal(), m.GetSize()),
		hashes: m.GetChunkHashes(), talk: newTalk(l),
	}
	u.Name = plainName(m.GetName(), fmt.Sprintf("update-%d-%d", u.From, u.To))
	return u
}

func checkOffer(m *pb.UpdateOffered) error {
	size, chunk, hashes := m.GetSize(), uint64(m.GetChunkSize()), uint64(len(m.GetChunkHashes()))
	switch {
	case !isBuild(m.GetFromBuild()), !isBuild(m.GetToBuild()):
		return errors.New("no builds")
	case len(m.GetSha256()) != 32:
		return errors.New("no hash")
	case size == 0, chunk == 0, hashes == 0, hashes > 32*codec.MaxTransferChunks:
		return errors.New("sizes out of bounds")
	case size > chunk*codec.MaxTransferChunks, hashes != 32*((size+chunk-1)/chunk):
		return errors.New("sizes that do not fit each other")
	}
	return nil
}

func isBuild(n uint32) bool { return n > 0 && n <= math.MaxUint16 }

// chunk returns the hash and the end of the chunk that has the byte at.
func (u *UpdateOffer) chunk(at uint64) (hash []byte, end uint64) {
	n := at / uint64(u.ChunkSize)
	return u.hashes[32*n : 32*n+32], min((n+1)*uint64(u.ChunkSize), u.Size)
}

// talk is the connection of an offer. It sends pings after begin.
type talk struct {
	link *link // its receiving half is owned by Download
	// timeout is how long an answer may take.
	timeout time.Duration
	taken   atomic.Bool
	over    chan struct{} // closed first
	done    chan struct{} // closed when pinging has ended

	sending sync.Mutex // guards link's sending half
	ending  sync.Once
}

func newTalk(l *link) *talk {
	return &talk{link: l, timeout: l.timeout, over: make(chan struct{}), done: make(chan struct{})}
}

func (t *talk) begin() { go t.pinging() }

func (t *talk) pinging() {
	defer close(t.done)
	ticker := time.NewTicker(updatePing)
	defer ticker.Stop()
	for number := uint64(1); ; number++ {
		select {
		case <-t.over:
			return
		case <-ticker.C:
		}
		if t.say(&pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: number}}}) != nil {
			// Download gets the error too, after the server's last messages.
			_ = t.hearFor(farewellWithin)
			return
		}
	}
}

func (t *talk) isOver() bool {
	select {
	case <-t.over:
		return true
	default:
		return false
	}
}

func (t *talk) say(m *pb.ClientFrame) error {
	t.sending.Lock()
	defer t.sending.Unlock()
	return t.link.send(m)
}

// hear returns the server's next message. Pings are answered, so the wait is limited.
func (t *talk) hear() (*pb.ServerFrame, error) {
	f := &pb.ServerFrame{}
	if err := t.link.patience(updatePing); err != nil {
		return nil, err
	}
	return f, t.link.receive(f)
}

// hearFor limits the time of reads until the next hear.
func (t *talk) hearFor(d time.Duration) error {
	if err := t.link.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return lost(err)
	}
	return nil
}

// cancel tells the server that the file is not wanted, unless another send is under way, and
// ends the connection.
func (t *talk) cancel() {
	t.endWith(&pb.ClientFrame{Body: &pb.ClientFrame_CancelUpdate{CancelUpdate: &pb.CancelUpdate{}}})
}

// end ends the connection and returns when its goroutine has ended.
func (t *talk) end() { t.endWith(nil) }

func (t *talk) endWith(last *pb.ClientFrame) {
	t.ending.Do(func() {
		close(t.over)
		// Another send may wait for long, so do not wait for it.
		if last != nil && t.sending.TryLock() {
			t.link.timeout = farewellWithin
			_ = t.link.send(last)
			t.sending.Unlock()
		}
		t.link.close()
	})
	<-t.done
}
