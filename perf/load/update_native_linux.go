package load

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

// appendAcceptUpdate asks for the file from its start.
func (t *tongue) appendAcceptUpdate(dst []byte, k *talk) []byte {
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{
		AcceptUpdate: &pb.AcceptUpdate{Window: updateWindow},
	}})
}

// appendUpdateReceived says up to where of the file the client has it.
func (t *tongue) appendUpdateReceived(dst []byte, k *talk, offset uint64) []byte {
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{
		UpdateReceived: &pb.UpdateReceived{Offset: offset},
	}})
}

// stepNative takes one frame, if it is whole, and returns how long it was.
func (f *fleet) stepNative(t *taker) (int, mishap) {
	b := t.buf[t.at:t.got]
	if len(b) < native.HeaderSize {
		return 0, noMishap
	}
	size := f.frameSize(b)
	if size == native.HeaderSize+maxNativeFrame {
		return 0, FaultGarbage.mishap()
	}
	if len(b) < size {
		t.makeRoom()
		return 0, noMishap
	}
	body := b[native.HeaderSize:size]
	if t.stage == stageTaken && t.skimmed.frame > 0 {
		return size, f.onSealedEnd(t, len(body)-native.SealSize)
	}
	if t.talk.open {
		var err error
		if body, err = t.talk.toUs.Open(b[:size]); err != nil {
			return 0, FaultGarbage.mishap()
		}
	}
	m := &f.tongue.frame
	if proto.Unmarshal(body, m) != nil {
		return 0, FaultGarbage.mishap()
	}
	return size, f.onNative(t, m, size, body)
}

// onNative takes a message, which came as body in a frame of size bytes.
func (f *fleet) onNative(t *taker, m *pb.ServerFrame, size int, body []byte) mishap {
	switch b := m.Body.(type) {
	case *pb.ServerFrame_Refused, *pb.ServerFrame_Kicked, *pb.ServerFrame_GoingAway, *pb.ServerFrame_FactorWanted:
		return mishapRefused
	case *pb.ServerFrame_Welcome:
		return mishapLetIn
	case *pb.ServerFrame_UpdateFailed:
		return mishapFailed
	case *pb.ServerFrame_UpdateQueued:
		return noMishap
	case *pb.ServerFrame_PasswordChallenge:
		return f.onAsked(t, b.PasswordChallenge, body)
	case *pb.ServerFrame_Accepted:
		return f.onAccepted(t, b.Accepted.Proof)
	case *pb.ServerFrame_UpdateOffered:
		return f.onUpdateOffered(t, b.UpdateOffered)
	case *pb.ServerFrame_UpdateData:
		if t.stage == stageTaking {
			return f.onData(t, b.UpdateData.Offset, b.UpdateData.Data, size)
		}
	case *pb.ServerFrame_UpdateSent:
		return f.onSent(t)
	}
	return FaultGarbage.mishap()
}

func (f *fleet) onAsked(t *taker, m *pb.PasswordChallenge, body []byte) mishap {
	asked := passwordAsked{PasswordChallenge: m, body: body, name: f.cast.name(f.role(t))}
	var ok bool
	if f.out, ok = f.tongue.appendPasswordProof(f.out[:0], t.talk, &asked); !ok || t.stage != stageChallenge {
		return FaultGarbage.mishap()
	}
	t.stage = stageProof
	return f.send(t, f.out)
}

func (f *fleet) onAccepted(t *taker, proof []byte) mishap {
	if t.stage != stageProof || !f.tongue.accepted(t.talk, proof) {
		return FaultProof.mishap()
	}
	t.stage = stageOffer
	return noMishap
}

func (f *fleet) onUpdateOffered(t *taker, m *pb.UpdateOffered) mishap {
	if t.stage != stageOffer {
		return FaultGarbage.mishap()
	}
	return f.onOffer(t, m.Size, bytes.Equal(m.Sha256, f.o.File.SHA256[:]))
}

// onSealedEnd takes the end from a client that has skimmed: it has not opened the frames
// before, so it can open none behind them. That the server says the end is seen by its length.
func (f *fleet) onSealedEnd(t *taker, length int) mishap {
	if length != proto.Size(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateSent{UpdateSent: &pb.UpdateSent{}}}) {
		return mishapFailed
	}
	return f.onSent(t)
}

// onSent ends an update that came to its end.
func (f *fleet) onSent(t *taker) mishap {
	if t.stage != stageTaken {
		return FaultGarbage.mishap()
	}
	f.whole.Add(1)
	f.release(t)
	return noMishap
}
