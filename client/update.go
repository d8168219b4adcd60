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
	// updatePing is how often a client says that it is there while it has no Welcome
	// that would tell it: a server's default is to send silent ones away after 90 s.
	updatePing = 20 * time.Second
	// farewellWithin bounds the last word to a server that may not read any more.
	farewellWithin = time.Second
)

// UpdateOffer is the error of a Login whose client must be updated before it is let
// in, where Options.TakesUpdates is set. errors.As finds it; it is ErrUpdate to
// errors.Is too. Behind it stands the connection that it came on: who does not call
// Download, which ends it, calls Close. Until then the offer keeps the connection and
// has one goroutine that pings; a server gives up who does not decide within minutes.
// Its fields are what the server says, checked against each other and not to be changed.
type UpdateOffer struct {
	// From and To are the builds that the file leads from and to.
	From, To uint16
	// Size is the file's in bytes, 1 byte to 1 TiB.
	Size   uint64
	SHA256 [32]byte
	// ChunkSize is how much of the file one hash stands for, in bytes; of a try that
	// broke off, whole chunks are kept.
	ChunkSize uint32
	// Name is what to call the file: the server's word, with everything replaced that
	// could be a path, hidden or a device.
	Name string
	// Steps is how many files there are on the way to a build that is let in, this one
	// included, and Total the sum of their sizes in bytes. The next one is offered to
	// the build that this one makes.
	Steps int
	Total uint64

	hashes []byte // 32 bytes for each chunk
	talk   *talk  // nil for one that no Login has made
}

func (u *UpdateOffer) Error() string {
	return fmt.Sprintf("client: build %d must be updated to build %d, by %d bytes", u.From, u.To, u.Size)
}

// Is makes it ErrUpdate, which those get who take no updates.
func (u *UpdateOffer) Is(target error) bool { return ErrUpdate.Is(target) }

// Close declines the offer, or ends its Download, and ends the connection. It may be
// called from anywhere and more than once.
func (u *UpdateOffer) Close() error {
	if u.talk != nil {
		u.talk.cancel()
	}
	return nil
}

// newOffer checks an offer: its numbers have to fit each other before anything is done
// by them. A fault is ErrProtocol.
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

// chunk is the number of the chunk that byte at is in, with its hash and its end.
func (u *UpdateOffer) chunk(at uint64) (hash []byte, end uint64) {
	n := at / uint64(u.ChunkSize)
	return u.hashes[32*n : 32*n+32], min((n+1)*uint64(u.ChunkSize), u.Size)
}

// talk is a connection on which an update was offered. It pings from begin on.
type talk struct {
	link *link // its receiving half is the Download's
	// timeout is how long an answer may take.
	timeout time.Duration
	taken   atomic.Bool
	over    chan struct{} // closed first
	done    chan struct{} // closed when pinging has ended

	sending sync.Mutex // owns link's sending half
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
			// The Download hears of it, now or later, behind what the server has said
			// before it went.
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

// hear takes the server's next message. Pings are answered, so that there is one soon.
func (t *talk) hear() (*pb.ServerFrame, error) {
	f := &pb.ServerFrame{}
	if err := t.link.patience(updatePing); err != nil {
		return nil, err
	}
	return f, t.link.receive(f)
}

// hearFor bounds what is heard from now on, until the next hear.
func (t *talk) hearFor(d time.Duration) error {
	if err := t.link.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return lost(err)
	}
	return nil
}

// cancel says that the player does not want the file (any more), if that can be said
// at once, and ends.
func (t *talk) cancel() {
	t.endWith(&pb.ClientFrame{Body: &pb.ClientFrame_CancelUpdate{CancelUpdate: &pb.CancelUpdate{}}})
}

// end ends the connection and returns when its goroutine has ended.
func (t *talk) end() { t.endWith(nil) }

func (t *talk) endWith(last *pb.ClientFrame) {
	t.ending.Do(func() {
		close(t.over)
		// Who is sending just now may have to wait long.
		if last != nil && t.sending.TryLock() {
			t.link.timeout = farewellWithin
			_ = t.link.send(last)
			t.sending.Unlock()
		}
		t.link.close()
	})
	<-t.done
}
