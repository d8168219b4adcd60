package native

import (
	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
)

// Session is the login server's side of one connection: its state and, after Accepted, the
// channel. All methods are called by the connection's reactor.
type Session struct{ link }

// Decode reads the frame at the front of b into m and returns its length. It sets m.Kind and
// the fields that belong to the kind; pointers in them are newly allocated. It does not change
// the rest of m. It decrypts a sealed frame in place, so it writes to b, but only if it takes
// the whole frame or returns a violation.
//
// codec.ErrShort asks for more bytes: call again with the same b and the bytes after it.
// Decode always returns it between the client's proof and the reply to it, because the keys
// are not known yet, and after the client was refused or disconnected. Any other error is a
// *codec.Violation, after which the connection must be closed. An error does not change m and
// does not depend on how the stream is split.
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

// expects reports whether the protocol allows a message now. It does not check which messages
// make sense on an open channel.
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

// Append encodes r for this client. It returns ErrBody if r is too long, and ErrPhase if r is
// not allowed now: a challenge only after SignIn; Accepted only after a proof; all others
// except refusals only on an open channel; after the end of an update only a refusal and
// ReplyGoingAway; nothing after a refusal. On an error dst is returned unchanged, and so is
// the state. With room in dst it does not allocate, except for Accepted: Append takes its keys
// and wipes them in r.
//
// Before the channel is open ReplyKicked is sent as a refusal. After a refusal or ReplyKicked
// nothing is decoded or sent any more. It panics on a reply of another protocol.
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

// appendPlain writes the replies that have only a number.
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

// AppendViolation writes the answer to v that the client gets before it is closed: a refusal.
// It is sealed if the channel is open, because the direction to the client is intact even if
// the other is not.
func (s *Session) AppendViolation(dst []byte, v *codec.Violation) []byte {
	return s.refuse(dst, fieldRefused, v)
}

// String returns a text for logs without keys.
func (s *Session) String() string { return "native " + s.phase.String() }

// GoString returns a text without keys, for %#v.
func (s *Session) GoString() string { return "native.Session{" + s.phase.String() + "}" }
