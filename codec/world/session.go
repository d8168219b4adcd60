package world

import (
	"bytes"

	"gatepass/codec"
)

// Session is the server's half of one connection: its state and the two ciphers. The caller
// keeps the bytes of incomplete packets. The session keeps only the header that was decrypted
// before its body was complete. All methods are called by the connection's reactor.
type Session struct {
	codec *Codec // static

	// Owned by the reactor.
	phase  phase
	queued bool // the client was sent a position in the queue
	// headed says that header is the header of the next bytes that Decode gets. The cipher has
	// decrypted it and cannot decrypt it again.
	headed bool
	header ClientHeader
	// recv and send have keys from phaseOpen on.
	recv, send Cipher
}

// Decode reads the packet at the front of b into m and returns its length. It sets m.Kind and
// m.World, which is newly allocated and copied out of b. It does not change the rest of m.
//
// codec.ErrShort asks for more bytes: call again with the same b and the bytes after it.
// Decode always returns it between CMSG_AUTH_SESSION and the reply with the key; the caller,
// who keeps the bytes, should disconnect a client that sends more than a few bytes then. Any
// other error is a *codec.Violation, after which the connection must be closed. An error does
// not change m and does not depend on how the stream is split.
func (s *Session) Decode(b []byte, m *codec.Message) (int, error) {
	if len(b) == 0 || s.phase == phaseWaiting {
		return 0, codec.ErrShort
	}
	if s.phase == phaseOver {
		return 0, afterTheEnd
	}
	if err := s.readHeader(b); err != nil {
		return 0, err
	}
	n := clientHeaderLen + int(s.header.Size) - clientOpcodeLen
	if len(b) < n {
		return 0, codec.ErrShort
	}
	w, err := s.decodeBody(b[clientHeaderLen:n])
	if err != nil {
		return 0, err
	}
	s.headed = false
	m.World = w
	m.Kind = codec.KindWorldPacket
	if s.phase == phaseStart {
		m.Kind, s.phase = codec.KindWorldAuth, phaseWaiting
	}
	return n, nil
}

// readHeader sets s.header to the header at the front of b. It checks the header before
// anything is stored for the packet.
func (s *Session) readHeader(b []byte) error {
	if s.headed {
		return nil
	}
	if len(b) < clientHeaderLen {
		return codec.ErrShort
	}
	raw := [clientHeaderLen]byte(b)
	if s.phase == phaseOpen {
		s.recv.Decrypt(raw[:])
	}
	h, _, _ := ParseClientHeader(raw[:]) // never short
	switch {
	case s.phase == phaseStart && h.Opcode != CMSGAuthSession:
		return notAuthSession
	case h.Opcode > MaxOpcode:
		return badOpcode
	case h.Size < clientOpcodeLen || h.Size > clientOpcodeLen+MaxBody:
		return badClientSize
	}
	s.header, s.headed = h, true
	return nil
}

func (s *Session) decodeBody(body []byte) (*codec.WorldMessage, error) {
	if s.phase == phaseStart {
		auth, err := s.codec.parseAuth(body)
		if err != nil {
			return nil, err
		}
		return &codec.WorldMessage{Auth: auth}, nil
	}
	w := &codec.WorldMessage{Opcode: s.header.Opcode}
	if len(body) > 0 {
		w.Body = bytes.Clone(body)
	}
	return w, nil
}

// parseAuth reads a CMSG_AUTH_SESSION. If the gate accepts the build, it reads the whole
// packet. Otherwise it reads only the first fields, which are the same in every era, because
// the layout of the rest may be unknown.
func (c *Codec) parseAuth(body []byte) (codec.WorldAuth, error) {
	var a AuthSession
	build, err := a.parseHead(body)
	if build <= 0xFFFF && c.Takes(uint16(build)) {
		a, err = ParseAuthSession(body, c.era)
		return a.WorldAuth, err
	}
	if err != nil || build > 0xFFFF {
		return codec.WorldAuth{}, badForeignBuild
	}
	return a.WorldAuth, nil
}

// Append encodes r for this client; r.World must be set. It returns ErrKey if the key comes
// too early or twice, ErrNoKey if r may be sent only after a key, and ErrBody if the body is
// too long. On an error dst is returned unchanged, and so is the state. With room in dst it
// does not allocate, except for a key.
//
// After a refusal the session accepts nothing. Append panics on a reply of another protocol.
func (s *Session) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	switch r.Kind {
	case codec.ReplyNone:
		return dst, nil
	case codec.ReplyWorldChallenge:
		return s.appendChallenge(dst, r.World), nil
	case codec.ReplyWorldAuth:
		return s.appendAuth(dst, r.World)
	case codec.ReplyWorldPacket:
		return s.appendPacket(dst, r.World)
	}
	panic("world: " + r.Kind.String() + " has no bytes")
}

func (s *Session) appendChallenge(dst []byte, w *codec.WorldReply) []byte {
	head := len(dst)
	dst = append(dst, make([]byte, serverHeaderLen)...)
	dst = AppendAuthChallenge(dst, s.codec.era, &AuthChallenge{Seed: w.Seed, Random: w.Random})
	s.putHeader(dst[head:], SMSGAuthChallenge)
	return dst
}

func (s *Session) appendAuth(dst []byte, w *codec.WorldReply) ([]byte, error) {
	admits := w.Code == CodeOK || w.Code == CodeWaitQueue
	switch {
	case w.KeySet && s.phase != phaseWaiting:
		return dst, ErrKey
	case admits && !w.KeySet && s.phase != phaseOpen:
		return dst, ErrNoKey
	}
	if w.KeySet {
		s.becomeOpen(&w.Key)
		clear(w.Key[:]) // the ciphers have it now; no other code has this reply
	}
	head := len(dst)
	dst = append(dst, make([]byte, serverHeaderLen)...)
	answer := s.answer(w)
	dst = AppendAuthResponse(dst, s.codec.era, &answer)
	s.putHeader(dst[head:], SMSGAuthResponse)
	s.queued = w.Code == CodeWaitQueue
	if !admits {
		s.phase = phaseOver
	}
	return dst, nil
}

// answer returns the form of an auth response that w needs. CONFLICT (17.3, quirk 67): the
// first reply to a client that has to wait may be the long form. Servers of the mangos family
// send it, though one source doubts it; the caller chooses. A client that has waited is
// accepted by a code without billing fields.
func (s *Session) answer(w *codec.WorldReply) AuthResponse {
	a := AuthResponse{Code: w.Code, Position: w.Position, Expansion: s.codec.era.expansion()}
	switch w.Code {
	case CodeOK:
		a.Billing = !s.queued
	case CodeWaitQueue:
		a.Billing = w.Long
	}
	return a
}

// becomeOpen is the only function that sets phaseOpen.
func (s *Session) becomeOpen(key *[40]byte) {
	s.recv = NewCipher(s.codec.era, ToServer, key)
	s.send = NewCipher(s.codec.era, ToClient, key)
	s.phase = phaseOpen
}

func (s *Session) appendPacket(dst []byte, w *codec.WorldReply) ([]byte, error) {
	if s.phase != phaseOpen {
		return dst, ErrNoKey
	}
	if len(w.Body) > MaxReplyBody {
		return dst, ErrBody
	}
	head := len(dst)
	dst = ServerHeader{Size: uint32(serverOpcodeLen + len(w.Body)), Opcode: w.Opcode}.Append(dst, s.codec.era)
	s.send.Encrypt(dst[head:])
	return append(dst, w.Body...), nil
}

// putHeader writes the header of a packet, in the short form. packet is complete except for
// the header.
func (s *Session) putHeader(packet []byte, opcode uint16) {
	size := len(packet) - serverHeaderLen + serverOpcodeLen
	ServerHeader{Size: uint32(size), Opcode: opcode}.Append(packet[:0], s.codec.era)
	// CONFLICT (quirk 66): some servers encrypt refusals too, even for a client whose key they
	// do not have. Here all packets before the key are in the clear, as in cmangos and
	// vmangos.
	if s.phase == phaseOpen {
		s.send.Encrypt(packet[:serverHeaderLen])
	}
}

// AppendViolation writes the answer to v that the client gets before it is closed: a refusal
// if a fault of its CMSG_AUTH_SESSION has a code, else nothing.
func (s *Session) AppendViolation(dst []byte, v *codec.Violation) []byte {
	if v.Result == codec.ResultOK || v.Message != opAuthSession {
		return dst
	}
	dst = ServerHeader{Size: serverOpcodeLen + 1, Opcode: SMSGAuthResponse}.Append(dst, s.codec.era)
	return append(dst, CodeOf(v.Result))
}

// String returns a text for logs without keys.
func (s *Session) String() string { return s.codec.era.String() + " " + s.phase.String() }

// GoString returns a text without keys, for %#v.
func (s *Session) GoString() string { return "world.Session{" + s.String() + "}" }
