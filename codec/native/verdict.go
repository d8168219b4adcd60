package native

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
)

// results has the contract's number of each result.
var results = [codec.ResultCount]uint8{
	codec.ResultBadCredentials: 1,
	codec.ResultBanned:         2,
	codec.ResultSuspended:      3,
	codec.ResultLocked:         4,
	codec.ResultAlreadyOnline:  5,
	codec.ResultVersionInvalid: 6,
	codec.ResultVersionUpdate:  7,
	codec.ResultBusy:           8,
	codec.ResultNoAccess:       9,
	codec.ResultReplaced:       10,
	codec.ResultKicked:         11,
	codec.ResultIdle:           12,
	codec.ResultProtocol:       13,
	codec.ResultGoingAway:      14,
	codec.ResultBadPass:        15,
	codec.ResultFull:           16,
}

// appendAccepted: Accepted{proof} and GateAccepted{proof}.
func appendAccepted(dst []byte, num protowire.Number, w *codec.NativeReply) []byte {
	dst, at := begin(dst, num)
	return end(appendBytes(dst, 1, w.Proof[:]), at)
}

// appendRefused: Refused{result, retry_after_ms}.
func appendRefused(dst []byte, num protowire.Number, r *codec.Reply) []byte {
	dst, at := begin(dst, num)
	dst = appendNumber(dst, 1, uint64(results[r.Result]))
	if r.Kind == codec.ReplyRefused {
		dst = appendNumber(dst, 2, clamp(r.Number))
	}
	return end(dst, at)
}

// appendKicked: Kicked{result}.
func appendKicked(dst []byte, num protowire.Number, r *codec.Reply) []byte {
	return appendOne(dst, num, uint64(results[r.Result]))
}

// refuse writes the refusal for v and ends the session.
func (l *link) refuse(dst []byte, num protowire.Number, v *codec.Violation) []byte {
	if v.Result == codec.ResultOK || l.phase == phaseOver {
		return dst
	}
	at := len(dst)
	out, err := l.closeFrame(appendOne(openFrame(dst), num, uint64(results[v.Result])), at)
	if err != nil {
		return dst
	}
	l.becomeOver()
	return out
}

// appendOne writes a message that has only a number, in its field 1.
func appendOne(dst []byte, num protowire.Number, v uint64) []byte {
	dst, at := begin(dst, num)
	return end(appendNumber(dst, 1, v), at)
}

// clamp returns v, or the largest number of 32 bits if v is above it.
func clamp(v uint64) uint64 { return min(v, math.MaxUint32) }
