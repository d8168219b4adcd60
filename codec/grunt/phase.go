package grunt

import "gatepass/codec"

// phase is the state of a session. It decides which opcodes may come next.
type phase uint8

const (
	// phaseStart: connected; the client must send a challenge.
	phaseStart phase = iota
	// phaseProof: a logon challenge was received; its proof must follow.
	phaseProof
	// phaseReconnectProof: a reconnect challenge was received; its proof must follow.
	phaseReconnectProof
	// phaseProven: a proof was received. The codec does not know whether it was correct.
	phaseProven
	// phaseOffered: a file is offered, and the client must answer the offer.
	phaseOffered
	// phaseSending: the client accepted the file. It may send only a cancellation.
	phaseSending
	// phaseOver: the client was refused and may send nothing more.
	phaseOver
	phaseCount
)

const transferAnswers = 1<<opTransferAccept | 1<<opTransferResume | 1<<opTransferCancel

// legal has one bit for each opcode that a phase accepts.
var legal = [phaseCount]uint64{
	phaseStart:          1<<opLogonChallenge | 1<<opReconnectChallenge,
	phaseProof:          1 << opLogonProof,
	phaseReconnectProof: 1 << opReconnectProof,
	phaseProven:         1<<opRealmList | 1<<opSurveyResult | transferAnswers,
	phaseOffered:        transferAnswers,
	phaseSending:        1 << opTransferCancel,
	phaseOver:           0,
}

// takes reports whether a message with this opcode may come now. It is false for opcodes from
// 40 on, which are outside of the mask, and for an unknown phase.
func (p phase) takes(op byte) bool { return p < phaseCount && legal[p]>>op&1 != 0 }

// after returns the phase after r is sent. A refusal ends the session. After the announcement
// of a patch only the offer continues it.
func (p phase) after(r *codec.Reply) phase {
	switch {
	case r.Kind == codec.ReplyNone:
		return p
	case r.Kind == codec.ReplyTransferOffer:
		return phaseOffered
	case r.Result != codec.ResultOK:
		return phaseOver
	}
	return p
}
