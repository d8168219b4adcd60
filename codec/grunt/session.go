package grunt

import "gatepass/codec"

// Session is the protocol state of one connection: which messages the client may send next and
// which layout it uses. It holds no bytes; the caller keeps incomplete messages. All methods
// are called by the connection's reactor.
type Session struct {
	codec *Codec // static

	// Owned by the reactor.
	phase  phase
	layout Layout // 0 before the challenge
	build  Build
}

// Build returns the build that the client sent in its challenge, 0 before.
func (s *Session) Build() Build { return s.build }

// Layout returns the layout for replies to the client, 0 before its challenge.
func (s *Session) Layout() Layout { return s.layout }

// Decode reads the message at the front of b into m and returns its length. It sets m.Kind and
// the fields that belong to the kind, all copied out of b. It does not change the rest of m.
//
// codec.ErrShort asks for more bytes: call again with b and the bytes after it. Any other
// error is a *codec.Violation, after which the connection must be closed. An error changes
// neither m nor the session, and does not depend on how the stream is split. Decode does not
// allocate.
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
	// Real clients send no telemetry. So it is refused here, before waiting or allocating for
	// it.
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
	m.Window = 0 // there are no acknowledgements; m may have been another client's
	if a.Kind == codec.KindTransferResume {
		m.Number = a.Offset
	}
	if s.phase == phaseOffered {
		s.phase = phaseSending
	}
	return n, nil
}

// Append encodes r for this client. A refusal may be sent before the client's first message; a
// success then returns ErrNoBuild. It returns ErrFactor if a challenge asks for a second
// factor that the client's layout does not have. On an error dst is returned unchanged, and so
// is the state. With room in dst it does not allocate.
//
// After an offer the session accepts only answers to it. After an answer that accepts the file
// it accepts only KindTransferCancel. After a refusal it accepts nothing.
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

// AppendViolation writes the answer to v that the client gets before it is closed. That is a
// refusal in the layout of the reply to the offending message. It writes nothing if there is
// no such reply or v has no Result.
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
