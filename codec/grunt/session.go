package grunt

import "gatepass/codec"

// Session is the protocol of one connection: what it may say next and which
// layout it understands. It holds no bytes: what is not yet a whole message stays
// with the caller. All methods are called by the connection's reactor.
type Session struct {
	codec *Codec // static

	// Owned by the reactor.
	phase  phase
	layout Layout // 0 until a challenge came
	build  Build
}

// Build is the build that the client named in its challenge, 0 before.
func (s *Session) Build() Build { return s.build }

// Layout is the layout in which the client is answered, 0 before its challenge.
func (s *Session) Layout() Layout { return s.layout }

// Decode reads the one message at the front of b into m and returns its length.
// It sets m.Kind and the fields that the kind names, all copied out of b, and
// leaves the rest of m alone.
//
// codec.ErrShort asks for more bytes: call again with b and what came after it.
// Any other error is a *codec.Violation, after which the connection is to be
// closed. Neither changes m or the session, and neither depends on how the stream
// was cut. Decode does not allocate.
func (s *Session) Decode(b []byte, m *codec.Message) (int, error) {
	if len(b) == 0 {
		return 0, codec.ErrShort
	}
	if !s.phase.takes(b[0]) {
		return 0, unexpected[b[0]]
	}
	switch b[0] {
	case opLogonChallenge, opReconnectChallenge:
		return s.decodeChallenge(b, m)
	case opLogonProof:
		return s.decodeProof(b, m)
	case opReconnectProof:
		return s.decodeReconnectProof(b, m)
	case opRealmList:
		return decodeRealmList(b, m)
	case opSurveyResult:
		return s.decodeSurvey(b, m)
	default:
		return s.decodeTransferAnswer(b, m)
	}
}

func (s *Session) decodeChallenge(b []byte, m *codec.Message) (int, error) {
	kind, hello, n, err := ParseChallenge(b)
	if err != nil {
		return 0, err
	}
	m.Kind, m.Hello = kind, hello
	s.build = Build(hello.Build)
	s.phase, s.layout = phaseProof, LayoutOf(s.build)
	if kind == codec.KindReconnectChallenge {
		s.phase, s.layout = phaseReconnectProof, ReconnectLayoutOf(s.build)
	}
	return n, nil
}

func (s *Session) decodeProof(b []byte, m *codec.Message) (int, error) {
	// Real clients send no telemetry. Refused here, it is neither waited for nor
	// allocated.
	if len(b) > proofCount && b[proofCount] != 0 {
		return 0, badTelemetry
	}
	p, n, err := ParseProof(b, s.layout)
	if err != nil {
		return 0, err
	}
	m.Kind, m.Proof = codec.KindLogonProof, p.Proof
	s.phase = phaseProven
	return n, nil
}

func (s *Session) decodeReconnectProof(b []byte, m *codec.Message) (int, error) {
	r, n, err := ParseReconnectProof(b)
	if err != nil {
		return 0, err
	}
	m.Kind, m.Reconnect = codec.KindReconnectProof, r
	s.phase = phaseProven
	return n, nil
}

func decodeRealmList(b []byte, m *codec.Message) (int, error) {
	n, err := ParseRealmListRequest(b)
	if err != nil {
		return 0, err
	}
	m.Kind = codec.KindWorldList
	return n, nil
}

func (s *Session) decodeSurvey(b []byte, m *codec.Message) (int, error) {
	_, n, err := ParseSurveyResult(b, s.codec.opts.MaxSurvey)
	if err != nil {
		return 0, err
	}
	m.Kind = codec.KindSurveyResult
	return n, nil
}

func (s *Session) decodeTransferAnswer(b []byte, m *codec.Message) (int, error) {
	a, n, err := ParseTransferAnswer(b)
	if err != nil {
		return 0, err
	}
	m.Kind = a.Kind
	if a.Kind == codec.KindTransferCancel {
		return n, nil
	}
	m.Window = 0 // nothing is acknowledged; m may have been another client's
	if a.Kind == codec.KindTransferResume {
		m.Number = a.Offset
	}
	if s.phase == phaseOffered {
		s.phase = phaseSending
	}
	return n, nil
}

// Append encodes r for this client. A refusal may go out before the client has
// said anything; a success then is ErrNoBuild. ErrFactor when a challenge asks for
// a second factor that the client cannot give. On an error dst is returned as it
// was, and nothing is taken as said. With room in dst it does not allocate.
//
// After an offer the session takes only answers to it, after one that takes the file
// only KindTransferCancel, after a refusal nothing.
func (s *Session) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	if s.layout == 0 && r.Kind != codec.ReplyNone && r.Result == codec.ResultOK {
		return dst, ErrNoBuild
	}
	out, err := s.appendReply(dst, r)
	if err != nil {
		return dst, err
	}
	s.phase = s.phase.after(r)
	return out, nil
}

func (s *Session) appendReply(dst []byte, r *codec.Reply) ([]byte, error) {
	switch r.Kind {
	case codec.ReplyNone:
		return dst, nil
	case codec.ReplyLogonChallenge:
		return AppendChallengeReply(dst, s.layout, r)
	case codec.ReplyLogonProof:
		return AppendProofReply(dst, s.layout, r), nil
	case codec.ReplyReconnectChallenge:
		return AppendReconnectChallengeReply(dst, s.layout, r), nil
	case codec.ReplyReconnectProof:
		return AppendReconnectProofReply(dst, s.layout, r), nil
	case codec.ReplyTransferOffer:
		return AppendTransferOffer(dst, &r.Offer), nil
	}
	panic("grunt: " + r.Kind.String() + " has no bytes")
}

// AppendViolation writes what the client is told about v before it is closed: a
// refusal in the shape that its message is answered with, or nothing where there
// is none or v has no Result.
func (s *Session) AppendViolation(dst []byte, v *codec.Violation) []byte {
	if v.Result == codec.ResultOK {
		return dst
	}
	code := CodeOf(v.Result, s.layout)
	switch v.Message {
	case opLogonChallenge:
		return append(dst, opLogonChallenge, 0, byte(code))
	case opLogonProof:
		return appendProofFailure(dst, s.layout, code)
	case opReconnectChallenge:
		return append(dst, opReconnectChallenge, byte(code))
	case opReconnectProof:
		return appendReconnectProofCode(dst, s.layout, code)
	}
	return dst
}
