package native

import (
	"bytes"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
)

var (
	badGateVersion = &codec.Violation{Message: byte(fieldGateHello), Result: codec.ResultVersionInvalid, Cause: "version of the protocol is not known"}
	badGateHello   = wrong(byte(fieldGateHello), "field of a pass has the wrong size")
	badPacket      = wrong(byte(fieldGatePacket), "packet too long, or its opcode out of range")
)

// GateSession is the gate's side of one connection. All methods are called by the connection's
// reactor.
type GateSession struct {
	link
	world uint8
}

// Decode reads the frame at the front of b into m: KindGateHello, KindPing or KindGamePacket.
// Otherwise it is like Session.Decode.
func (s *GateSession) Decode(b []byte, m *codec.Message) (int, error) {
	body, n, err := s.next(b)
	if err != nil {
		return 0, err
	}
	var f fields
	which, ok := gateEnvelope.parse(body, &f)
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

func (s *GateSession) expects(which protowire.Number) bool {
	switch s.phase {
	case phasePass:
		return which == fieldGateHello
	case phaseOpen:
		return which != fieldGateHello
	}
	return false
}

func (s *GateSession) take(which protowire.Number, f *fields, body []byte, m *codec.Message) error {
	switch which {
	case fieldGateHello:
		return s.takeGateHello(f, body, m)
	case fieldGatePing:
		m.Kind, m.Number = codec.KindPing, f.number[1]
	case fieldGatePacket:
		return takeGamePacket(f, m)
	}
	return nil
}

// takeGateHello: GateHello{version, pass, nonce, proof, build}.
func (s *GateSession) takeGateHello(f *fields, body []byte, m *codec.Message) error {
	if f.u32(1) != version {
		return badGateVersion
	}
	w := &codec.NativeMessage{}
	if !f.fill(w.Pass[:], 2) || !f.fill(w.Nonce[:], 3) || !f.fill(w.Proof[:], 4) {
		return badGateHello
	}
	_, after := s.hear(body, true)
	w.Transcript, w.After = after, after
	m.Kind, m.Native = codec.KindGateHello, w
	m.Hello.Build = build(f.u32(5))
	return nil
}

// takeGamePacket: GamePacket{opcode, body}.
func takeGamePacket(f *fields, m *codec.Message) error {
	opcode, body := f.u32(1), f.bytes[2]
	if opcode > math.MaxUint16 || len(body) > MaxPacket {
		return badPacket
	}
	w := &codec.NativeMessage{Opcode: uint16(opcode)}
	if len(body) > 0 {
		w.Body = bytes.Clone(body)
	}
	m.Kind, m.Native = codec.KindGamePacket, w
	return nil
}

// Append encodes r for this client: ReplyGateChallenge first, ReplyGateAccepted after the
// client's pass, a refusal at any time, and all other replies sealed. It returns ErrBody for a
// packet longer than MaxReplyPacket. Otherwise it is like Session.Append.
func (s *GateSession) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	switch {
	case r.Kind == codec.ReplyNone:
		return dst, nil
	case !s.mayTell(r.Kind):
		return dst, ErrPhase
	case r.Kind == codec.ReplyGamePacket && len(r.Native.Body) > MaxReplyPacket:
		return dst, ErrBody
	}
	at := len(dst)
	out, err := s.closeFrame(s.appendBody(openFrame(dst), r), at)
	if err != nil {
		return dst, err
	}
	switch r.Kind {
	case codec.ReplyGateChallenge:
		s.said.Add(out[at+HeaderSize:])
		s.phase = phasePass
	case codec.ReplyGateAccepted:
		s.becomeOpen(&r.Native.Keys)
	case codec.ReplyRefused, codec.ReplyKicked:
		s.becomeOver()
	}
	return out, nil
}

func (s *GateSession) mayTell(kind codec.ReplyKind) bool {
	switch kind {
	case codec.ReplyGateChallenge:
		return s.phase == phaseStart
	case codec.ReplyGateAccepted:
		return s.phase == phaseProving
	case codec.ReplyRefused, codec.ReplyKicked:
		return s.phase != phaseOver
	}
	return s.phase == phaseOpen
}

// appendBody writes the one field of a GateServerFrame.
func (s *GateSession) appendBody(dst []byte, r *codec.Reply) []byte {
	switch r.Kind {
	case codec.ReplyGateChallenge:
		return s.appendGateChallenge(dst, r.Native)
	case codec.ReplyGateAccepted:
		return appendAccepted(dst, fieldGateAccepted, r.Native)
	case codec.ReplyRefused:
		return appendRefused(dst, fieldGateRefused, r)
	case codec.ReplyKicked:
		if s.phase != phaseOpen {
			return appendRefused(dst, fieldGateRefused, r)
		}
		return appendKicked(dst, fieldGateKicked, r)
	case codec.ReplyQueuePosition:
		return appendOne(dst, fieldGateQueuePosition, clamp(r.Number))
	case codec.ReplyEntered:
		return appendOne(dst, fieldGateEntered, clamp(r.Number))
	case codec.ReplyPong:
		return appendOne(dst, fieldGatePong, r.Number)
	case codec.ReplyGamePacket:
		return appendGamePacket(dst, r.Native)
	}
	panic("native: " + r.Kind.String() + " has no bytes")
}

// appendGateChallenge: GateChallenge{version, world, nonce}.
func (s *GateSession) appendGateChallenge(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldGateChallenge)
	dst = appendNumber(dst, 1, version)
	dst = appendNumber(dst, 2, uint64(s.world))
	return end(appendBytes(dst, 3, w.Nonce[:]), at)
}

// appendGamePacket: GamePacket{opcode, body}.
func appendGamePacket(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldGameReply)
	dst = appendNumber(dst, 1, uint64(w.Opcode))
	return end(appendBytes(dst, 2, w.Body), at)
}

// AppendViolation writes the answer to v that the client gets before it is closed, like
// Session.AppendViolation.
func (s *GateSession) AppendViolation(dst []byte, v *codec.Violation) []byte {
	return s.refuse(dst, fieldGateRefused, v)
}

// String returns a text for logs without keys.
func (s *GateSession) String() string { return "native gate " + s.phase.String() }

// GoString returns a text without keys, for %#v.
func (s *GateSession) GoString() string { return "native.GateSession{" + s.phase.String() + "}" }
