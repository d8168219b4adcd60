package server

import (
	"net"
	"testing"

	"gatepass/codec"
)

// If the kernel has no memory for the rest of a cut frame, the rest is kept. It is sent first:
// before the next reply and before the next turn.
func TestTransfer_RestOfACutFrame(t *testing.T) {
	for name, says := range map[string]bool{"then a reply": true, "then the file": false} {
		t.Run(name, func(t *testing.T) {
			r := newCarrierRig(t, nil)
			const size = 1 << 20
			client, h := r.cutFrame(size)
			if says {
				r.Queue().Send(h, numbered(5))
				r.Queue().Flush()
			}
			a := listen(t, client, 0)
			a.until(size)
			if want := map[bool]int{true: 1}[says]; len(a.replies) != want {
				t.Errorf("%d replies came, want %d", len(a.replies), want)
			}
			r.endedFor(h, codec.TransferDone)
			r.nothingLeft()
		})
	}
}

// cutFrame begins a transfer and waits until its socket is full. Most kernels then still have
// room for the rest of a frame. The next frame is therefore made here as if none of it had
// been taken.
func (r *rig) cutFrame(size uint64) (client *net.TCPConn, h codec.Conn) {
	r.t.Helper()
	client, h = r.open()
	narrow(r.t, client)
	r.start(h, codec.Transfer{Source: &content{}, Size: size})
	eventually(r.t, "its socket is full", func() (cut bool) {
		r.onReactor(0, func(re *reactor) { cut = cutNext(re.table.get(h).stream) })
		return cut
	})
	return client, h
}

// cutNext keeps a stream's next frame as its rest, if its socket is full.
func cutNext(s *stream) bool {
	if s == nil || s.state != streamFull {
		return false
	}
	frame := make([]byte, s.framer.FileFrame().Size())
	data := frame[s.framer.FileFrame().Head:][:carrierData]
	_ = s.transfer.Source.ReadVector([][]byte{data}, int64(s.sent))
	s.rest = append(s.rest, frame[:s.framer.FrameFile(frame, s.sent, carrierData)]...)
	s.sent += carrierData
	return true
}
