package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"gatepass/codec"
)

// sealed is frames that differ for each client: after a mark comes the number of frames that
// the client has got.
type sealed struct {
	frames
	sent uint32
	// onSeal is called with each frame first; its error is returned by AppendFrame.
	onSeal func(frame []byte) error
}

func (s *sealed) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	return s.frames.Append(s.mark(dst), r)
}

func (s *sealed) AppendFrame(dst, frame []byte) ([]byte, error) {
	if s.onSeal != nil {
		if err := s.onSeal(frame); err != nil {
			return append(dst, "half"...), err
		}
	}
	return append(s.mark(dst), frame...), nil
}

func (s *sealed) mark(dst []byte) []byte {
	s.sent++
	return binary.BigEndian.AppendUint32(append(dst, '#'), s.sent)
}

// sealedBytes returns what a client gets for these frames from the start.
func sealedBytes(frames ...[]byte) (b []byte) {
	s := sealed{}
	for _, f := range frames {
		b, _ = s.AppendFrame(b, f)
	}
	return b
}

// newSealedRig returns a rig with plain clients at the first listener and sealed ones at the
// second.
func newSealedRig(t *testing.T, onSeal func([]byte) error) *rig {
	return newRig(t, func(o *Options) {
		o.Listeners = listening("127.0.0.1:0", "127.0.0.1:0")
		o.SendBound = 1 << 20
		o.Listeners[1].Protocol = func() Session { return &sealed{onSeal: onSeal} }
	})
}

// A shared frame goes through the codec of a client that seals, in order with the replies, and
// unchanged to the other clients.
func TestReactor_Seal_BroadcastToAMix(t *testing.T) {
	r := newSealedRig(t, nil)
	plain, plainHandle := r.openAt(r.AddrOf(0).String())
	one, oneHandle := r.openAt(r.AddrOf(1).String())
	two, twoHandle := r.openAt(r.AddrOf(1).String())
	news, before := []byte("a world has changed"), r.settled()
	q := r.Queue()
	q.Send(oneHandle, numbered(1))
	q.Broadcast([]codec.Conn{oneHandle, plainHandle, twoHandle}, news)
	q.SendFrame(oneHandle, []byte("for one"))
	q.SendFrame(plainHandle, []byte("for plain"))
	for _, h := range []codec.Conn{oneHandle, plainHandle, twoHandle} {
		q.SendLast(h, numbered(2))
	}
	q.Flush()
	ends(t, plain, append([]byte("a world has changedfor plain"), numberedBytes(2)...))
	ends(t, one, sealedBytes(numberedBytes(1), news, []byte("for one"), numberedBytes(2)))
	ends(t, two, sealedBytes(news, numberedBytes(2)))
	if n := r.settled().Writes - before.Writes; n != 3 {
		t.Errorf("%d writes, want one a connection", n)
	}
	if string(news) != "a world has changed" {
		t.Error("the shared frame was changed")
	}
}

// A batch larger than outBound arrives complete and in order.
func TestReactor_Seal_BatchBeyondTheBound(t *testing.T) {
	r := newSealedRig(t, nil)
	client, handle := r.openAt(r.AddrOf(1).String())
	other, otherHandle := r.openAt(r.AddrOf(1).String())
	resume := r.pause(0)
	defer resume()
	var want [][]byte
	for i := range 12 { // 12 × 24 KiB, twice; both clients read meanwhile
		want = append(want, bytes.Repeat([]byte{byte('a' + i)}, 24<<10))
		r.Queue().Broadcast([]codec.Conn{handle, otherHandle}, want[i])
		if i == 6 {
			r.Queue().Close(otherHandle, codec.CloseLogic)
		}
	}
	r.Queue().Flush()
	resume()
	says(t, client, sealedBytes(want...))
	ends(t, other, sealedBytes(want[:7]...))
	r.closedFor(otherHandle, codec.CloseLogic)
}

func TestReactor_Seal_FaultsCostOneConnection(t *testing.T) {
	r := newSealedRig(t, func(frame []byte) error {
		switch string(frame) {
		case "bug":
			panic("a bug in a codec")
		case "bad":
			return errors.New("no bytes for this")
		}
		return nil
	})
	plain, plainHandle := r.openAt(r.AddrOf(0).String())
	for _, bad := range []string{"bug", "bad"} {
		client, handle := r.openAt(r.AddrOf(1).String())
		r.Queue().SendFrame(handle, []byte("good"))
		r.Queue().Broadcast([]codec.Conn{handle, plainHandle}, []byte(bad))
		r.Queue().SendFrame(handle, []byte("never"))
		r.Queue().Flush()
		ends(t, client, sealedBytes([]byte("good")))
		r.closedFor(handle, codec.CloseFault)
		says(t, plain, []byte(bad))
	}
	r.panicked(1)
	if n := r.Stats().EncodeErrors; n != 1 {
		t.Errorf("%d encode errors counted, want 1", n)
	}
}
