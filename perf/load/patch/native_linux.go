package patch

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/protocol"
)

// stepNative processes one frame, if it is complete, and returns its length.
func (f *Clients) stepNative(t *downloader) (int, counts.UpdateError) {
	b := t.buf[t.at:t.got]
	if len(b) < native.HeaderSize {
		return 0, counts.NoUpdateError
	}
	size := f.frameSize(b)
	if size == native.HeaderSize+maxNativeFrame {
		return 0, counts.FaultGarbage.UpdateError()
	}
	if len(b) < size {
		t.makeRoom()
		return 0, counts.NoUpdateError
	}
	if t.stage == stageComplete && t.discarding.frame > 0 {
		return size, f.onSealedEnd(t, size-native.HeaderSize-native.SealSize)
	}
	body, err := t.native.Body(b[:size])
	if err != nil {
		return 0, counts.FaultGarbage.UpdateError()
	}
	m, err := f.native.Parse(body)
	if err != nil {
		return 0, counts.FaultGarbage.UpdateError()
	}
	return size, f.onNative(t, m, size, body)
}

// onNative processes a message, which arrived as body in a frame of size bytes.
func (f *Clients) onNative(t *downloader, m *pb.ServerFrame, size int, body []byte) counts.UpdateError {
	switch b := m.Body.(type) {
	case *pb.ServerFrame_Refused, *pb.ServerFrame_Kicked, *pb.ServerFrame_GoingAway, *pb.ServerFrame_FactorWanted:
		return counts.UpdateRefused
	case *pb.ServerFrame_Welcome:
		return counts.UpdateLetIn
	case *pb.ServerFrame_UpdateFailed:
		return counts.UpdateFailed
	case *pb.ServerFrame_UpdateQueued:
		return counts.NoUpdateError
	case *pb.ServerFrame_PasswordChallenge:
		return f.onNativeChallenge(t, b.PasswordChallenge, body)
	case *pb.ServerFrame_Accepted:
		return f.onNativeResult(t, b.Accepted.Proof)
	case *pb.ServerFrame_UpdateOffered:
		return f.onUpdateOffered(t, b.UpdateOffered)
	case *pb.ServerFrame_UpdateData:
		if t.stage == stageReading {
			return f.onData(t, b.UpdateData.Offset, b.UpdateData.Data, size)
		}
	case *pb.ServerFrame_UpdateSent:
		return f.onSent(t)
	}
	return counts.FaultGarbage.UpdateError()
}

// onNativeChallenge answers the challenge with a proof.
func (f *Clients) onNativeChallenge(t *downloader, m *pb.PasswordChallenge, body []byte) counts.UpdateError {
	asked := protocol.PasswordRequest{PasswordChallenge: m, Body: body, Name: f.accounts.Name(f.attempt(t))}
	var ok bool
	if f.out, ok = f.native.AppendPasswordProof(f.out[:0], t.native, &asked); !ok || t.stage != stageChallenge {
		return counts.FaultGarbage.UpdateError()
	}
	t.stage = stageProof
	return f.send(t, f.out)
}

// onNativeResult checks the server's proof.
func (f *Clients) onNativeResult(t *downloader, proof []byte) counts.UpdateError {
	if t.stage != stageProof || !f.native.CheckAccepted(t.native, proof) {
		return counts.FaultProof.UpdateError()
	}
	t.stage = stageOffer
	return counts.NoUpdateError
}

func (f *Clients) onUpdateOffered(t *downloader, m *pb.UpdateOffered) counts.UpdateError {
	if t.stage != stageOffer {
		return counts.FaultGarbage.UpdateError()
	}
	return f.onOffer(t, m.Size, bytes.Equal(m.Sha256, f.o.File.SHA256[:]))
}

// onSealedEnd processes the end of a download that was discarded. Frames can only be opened
// in order and the discarded ones were not, so the end is recognized by its length.
func (f *Clients) onSealedEnd(t *downloader, length int) counts.UpdateError {
	if length != proto.Size(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateSent{UpdateSent: &pb.UpdateSent{}}}) {
		return counts.UpdateFailed
	}
	return f.onSent(t)
}

// onSent completes an update.
func (f *Clients) onSent(t *downloader) counts.UpdateError {
	if t.stage != stageComplete {
		return counts.FaultGarbage.UpdateError()
	}
	f.Whole.Add(1)
	f.release(t)
	return counts.NoUpdateError
}
