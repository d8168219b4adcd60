package grunt

import "gatepass/codec"

// phase is how far a session has come; it decides which opcodes may come next.
type phase uint8

const (
	// phaseStart: connected; a challenge comes first.
	phaseStart phase = iota
	// phaseProof: a logon challenge came, its proof is next.
	phaseProof
	// phaseReconnectProof: a reconnect challenge came, its proof is next.
	phaseReconnectProof
	// phaseProven: a proof came. Whether it was right is not known here.
	phaseProven
	// phaseOffered: a file is offered; the client answers that.
	phaseOffered
	// phaseSending: the client takes the file. Nothing may come but that its player
	// has changed their mind.
	phaseSending
	// phaseOver: the client was refused; nothing may come any more.
	phaseOver
	phaseCount
)

const transferAnswers = 1<<opTransferAccept | 1<<opTransferResume | 1<<opTransferCancel

// legal has a bit for each opcode that a phase takes.
var legal = [phaseCount]uint64{
	phaseStart:          1<<opLogonChallenge | 1<<opReconnectChallenge,
	phaseProof:          1 << opLogonProof,
	phaseReconnectProof: 1 << opReconnectProof,
	phaseProven:         1<<opRealmList | 1<<opSurveyResult | transferAnswers,
	phaseOffered:        transferAnswers,
	phaseSending:        1 << opTransferCancel,
	phaseOver:           0,
}

// takes tells whether a message with this opcode may come now. Opcodes from 40 on
// shift out of the mask, so they are never taken; nor is anything in a phase that is
// none of these.
func (p phase) takes(op byte) bool { return p < phaseCount && legal[p]>>op&1 != 0 }

// after is the phase once r is sent. A refusal ends the conversation; after the
// announcement of a patch only the offer takes it up again.
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
