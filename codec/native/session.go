package native

import (
	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
)

// Session is a login server's end of one connection: how far it has come and, from
// Accepted on, the channel. All methods are called by the connection's reactor.
type Session struct{ link }

// Decode reads the one frame at the front of b into m and returns its length. It sets
// m.Kind and what that says, newly allocated where it is not part of m, and leaves
// the rest of m alone. A frame under seal is decrypted in place: b is written to, but
// only where the whole frame is taken or the connection over.
//
// codec.ErrShort asks for more bytes: call again with the same b and what came after
// it. Between the client's proof and its answer it is always the answer, since nobody
// has the key yet, and also once the client was sent away. Any other error is a
// *codec.Violation, after which the connection is to be closed. Neither changes m,
// and neither depends on how the stream was cut.
func (s *Session) Decode(b []byte, m *codec.Message) (int, error) {
	body, n, err := s.next(b)
	if err != nil {
		return 0, err
	}
	var f fields
	which, ok := loginEnvelope.parse(body, &f)
	switch {
	case !ok:
		return 0, badWire
	case which == 0:
		return 0, noBody
	case !s.expects(which):
		return 0, outOfTurn
	}
	if err := s.take(which, &f, body, m); err != nil {
		return 0, err
	}
	return n, nil
}

// expects tells whether a message may come now, as far as the protocol itself says so;
// what makes sense on an open channel is not its business.
func (s *Session) expects(which protowire.Number) bool {
	switch s.phase {
	case phaseStart:
		return which == fieldSignIn
	case phasePassword:
		return which == fieldPasswordProof
	case phaseToken:
		return which == fieldTokenProof
	case phaseOpen, phaseEnding:
		return which > fieldTokenProof
	}
	return false
}

func (s *Session) take(which protowire.Number, f *fields, body []byte, m *codec.Message) error {
	switch which {
	case fieldSignIn:
		return s.takeSignIn(f, body, m)
	case fieldPasswordProof:
		return s.takePasswordProof(f, body, m)
	case fieldTokenProof:
		return s.takeTokenProof(f, body, m)
	case fieldFactorCode:
		return takeFactorCode(f, m)
	case fieldRememberDevice:
		return takeRememberDevice(f, m)
	case fieldForgetDevice:
		m.Kind = codec.KindForgetDevice
	case fieldSelectWorld:
		m.Kind, m.Number = codec.KindSelectWorld, uint64(f.u32(1))
	case fieldReleaseWorld:
		m.Kind = codec.KindReleaseWorld
	case fieldPing:
		m.Kind, m.Number = codec.KindPing, f.number[1]
	case fieldAcceptUpdate:
		takeAcceptUpdate(f, m)
	case fieldUpdateReceived:
		m.Kind, m.Number = codec.KindTransferAck, f.number[1]
	case fieldCancelUpdate:
		m.Kind = codec.KindTransferCancel
	}
	return nil
}

// Append encodes r for this client. ErrPhase when the client cannot be told that now:
// a challenge but after SignIn, Accepted but after a proof, anything but these and
// a refusal without a channel, anything after a refusal, anything but a refusal and
// ReplyGoingAway after the end of an update; ErrBody when it is too
// long. On an error dst is returned as it was, and nothing is taken as said. With
// room in dst it does not allocate, but for the keys of Accepted, which it takes and
// wipes in r.
//
// Before there is a channel ReplyKicked is told as a refusal. After either nothing
// is decoded or said any more. It panics on a reply of another protocol.
func (s *Session) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	if r.Kind == codec.ReplyNone {
		return dst, nil
	}
	if !s.mayTell(r.Kind) {
		return dst, ErrPhase
	}
	at := len(dst)
	out, err := s.closeFrame(s.appendBody(openFrame(dst), r), at)
	if err != nil {
		return dst, err
	}
	switch r.Kind {
	case codec.ReplyPasswordChallenge:
		s.said.Add(out[at+HeaderSize:])
		s.phase = phasePassword
	case codec.ReplyTokenChallenge:
		s.said.Add(out[at+HeaderSize:])
		s.phase = phaseToken
	case codec.ReplyAccepted:
		s.becomeOpen(&r.Native.Keys)
	case codec.ReplyTransferDone, codec.ReplyTransferFailed:
		s.phase = phaseEnding
	case codec.ReplyRefused, codec.ReplyKicked:
		s.becomeOver()
	}
	return out, nil
}

func (s *Session) mayTell(kind codec.ReplyKind) bool {
	switch kind {
	case codec.ReplyPasswordChallenge, codec.ReplyTokenChallenge:
		return s.phase == phaseGreeted
	case codec.ReplyAccepted:
		return s.phase == phaseProving
	case codec.ReplyRefused, codec.ReplyKicked:
		return s.phase != phaseOver
	case codec.ReplyGoingAway:
		return s.phase.sealed()
	}
	return s.phase == phaseOpen
}

// appendBody writes the one field of a ServerFrame.
func (s *Session) appendBody(dst []byte, r *codec.Reply) []byte {
	switch r.Kind {
	case codec.ReplyPasswordChallenge:
		return appendPasswordChallenge(dst, r.Native)
	case codec.ReplyTokenChallenge:
		return appendTokenChallenge(dst, r.Native)
	case codec.ReplyAccepted:
		return appendAccepted(dst, fieldAccepted, r.Native)
	case codec.ReplyRefused:
		return appendRefused(dst, fieldRefused, r)
	case codec.ReplyKicked:
		if !s.phase.sealed() {
			return appendRefused(dst, fieldRefused, r)
		}
		return appendKicked(dst, fieldKicked, r)
	case codec.ReplyFactorWanted:
		return appendFactorWanted(dst, r.Factors)
	case codec.ReplyWelcome:
		return appendWelcome(dst, r.Native)
	case codec.ReplyRemembered:
		return appendRemembered(dst, r.Native)
	case codec.ReplyCharacters:
		return appendCharacters(dst, r.Native.Counts)
	case codec.ReplyPassIssued:
		return appendPassIssued(dst, r)
	case codec.ReplySelectRefused:
		return appendSelectRefused(dst, r)
	case codec.ReplyTransferOffer:
		return appendUpdateOffered(dst, r)
	case codec.ReplyNotice:
		return appendNotice(dst, r.Native)
	}
	return appendPlain(dst, r)
}

// appendPlain writes those that say no more than a number.
func appendPlain(dst []byte, r *codec.Reply) []byte {
	switch r.Kind {
	case codec.ReplyWorldReleased:
		return appendOne(dst, fieldWorldReleased, 0)
	case codec.ReplyQueuePosition:
		return appendOne(dst, fieldQueuePosition, clamp(r.Number))
	case codec.ReplyEntered:
		return appendOne(dst, fieldEntered, clamp(r.Number))
	case codec.ReplyGoingAway:
		return appendOne(dst, fieldGoingAway, clamp(r.Number))
	case codec.ReplyTransferQueued:
		return appendOne(dst, fieldUpdateQueued, clamp(r.Number))
	case codec.ReplyTransferDone:
		return appendOne(dst, fieldUpdateSent, 0)
	case codec.ReplyTransferFailed:
		return appendOne(dst, fieldUpdateFailed, uint64(r.Ended))
	case codec.ReplyPong:
		return appendOne(dst, fieldPong, r.Number)
	}
	panic("native: " + r.Kind.String() + " has no bytes")
}

// AppendViolation writes what the client is told about v before it is closed: a
// refusal, sealed where there is a channel, since that way it is whole whatever has
// become of the other.
func (s *Session) AppendViolation(dst []byte, v *codec.Violation) []byte {
	return s.refuse(dst, fieldRefused, v)
}

// String is for logs; it shows no key.
func (s *Session) String() string { return "native " + s.phase.String() }

// GoString keeps the keys out of %#v too.
func (s *Session) GoString() string { return "native.Session{" + s.phase.String() + "}" }
