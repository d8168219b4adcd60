package world

import "gatepass/codec"

// Packet is what a server sent.
type Packet struct {
	Opcode uint16
	// Body aliases what was decoded.
	Body []byte
}

// Client is the client's half of one connection, for load clients and tests. It
// belongs to one goroutine.
//
//	c, _ := world.NewClient(5875)
//	p, n, err := c.Decode(unread)                     // SMSG_AUTH_CHALLENGE
//	challenge, err := world.ParseAuthChallenge(p.Body, c.Era())
//	a.Sign(challenge.Seed, &key)
//	out, err := c.AppendAuthSession(nil, &a, &key)    // from here on encrypted
type Client struct {
	era Era // static

	// armed tells that headers are encrypted from now on, heard that the server
	// has shown that it does so too.
	armed, heard bool
	// raw are the first got bytes of a header, decrypted before the rest had come.
	raw        [longServerHeaderLen]byte
	got        int
	recv, send Cipher
}

// NewClient makes the half of a client of that build; ErrBuilds where its layouts
// are not known.
func NewClient(build uint16) (*Client, error) {
	e := EraOf(build)
	if e == 0 {
		return nil, ErrBuilds
	}
	return &Client{era: e}, nil
}

// Era is the era that the client speaks.
func (c *Client) Era() Era { return c.era }

// AppendAuthSession writes a whole CMSG_AUTH_SESSION, in the clear; all that
// follows, either way, has headers encrypted with key. ErrName, ErrAddonSize or
// ErrBody when it cannot be said.
func (c *Client) AppendAuthSession(dst []byte, a *AuthSession, key *[40]byte) ([]byte, error) {
	head := len(dst)
	out := append(dst, make([]byte, clientHeaderLen)...)
	out, err := AppendAuthSession(out, c.era, a)
	if err != nil {
		return dst, err
	}
	if len(out)-head > MaxPacket {
		return dst, ErrBody
	}
	size := len(out) - head - clientHeaderLen + clientOpcodeLen
	ClientHeader{Size: uint16(size), Opcode: CMSGAuthSession}.Append(out[head:head])
	c.recv = NewCipher(c.era, ToClient, key)
	c.send = NewCipher(c.era, ToServer, key)
	c.armed = true
	return out, nil
}

// AppendPacket writes a packet, its header encrypted: ErrNoKey before
// AppendAuthSession, ErrBody when the body is longer than MaxBody. With room in dst
// it does not allocate.
func (c *Client) AppendPacket(dst []byte, opcode uint32, body []byte) ([]byte, error) {
	if !c.armed {
		return dst, ErrNoKey
	}
	if len(body) > MaxBody {
		return dst, ErrBody
	}
	head := len(dst)
	dst = ClientHeader{Size: uint16(clientOpcodeLen + len(body)), Opcode: opcode}.Append(dst)
	c.send.Encrypt(dst[head:])
	return append(dst, body...), nil
}

// Decode reads the one packet at the front of b and returns its length.
// codec.ErrShort asks for more bytes: call again with the same b and what came
// after it. Any other error is a *codec.Violation of the server.
func (c *Client) Decode(b []byte) (Packet, int, error) {
	h, n, err := c.readHeader(b)
	if err != nil {
		return Packet{}, 0, err
	}
	if h.Size < serverOpcodeLen || h.Size > serverOpcodeLen+MaxReplyBody {
		return Packet{}, 0, badServerSize
	}
	end := n + int(h.Size) - serverOpcodeLen
	if len(b) < end {
		return Packet{}, 0, codec.ErrShort
	}
	c.got, c.heard = 0, c.armed
	return Packet{Opcode: h.Opcode, Body: b[n:end:end]}, end, nil
}

// readHeader decrypts the header at the front of b, as far as it has come and was
// not decrypted before.
func (c *Client) readHeader(b []byte) (ServerHeader, int, error) {
	if c.got == 0 && len(b) >= serverHeaderLen {
		c.take(b[:serverHeaderLen])
	}
	if c.got == serverHeaderLen && c.era.isLong(c.raw[0]) && len(b) > c.got {
		c.take(b[c.got:longServerHeaderLen])
	}
	return ParseServerHeader(c.raw[:c.got], c.era)
}

func (c *Client) take(b []byte) {
	part := c.raw[c.got : c.got+copy(c.raw[c.got:], b)]
	if c.armed && !c.isPlainRefusal(part) {
		c.recv.Decrypt(part)
	}
	c.got += len(part)
}

// isPlainRefusal tells a refusal by a server that has no key and so encrypts
// nothing, with which it answers an AppendAuthSession. The chance that an encrypted
// header looks the same is 1 in 2^32.
func (c *Client) isPlainRefusal(header []byte) bool {
	return !c.heard && string(header) == "\x00\x03\xEE\x01"
}

// String is for logs; it shows no key.
func (c *Client) String() string { return "client of " + c.era.String() }

// GoString keeps the keys out of %#v too.
func (c *Client) GoString() string { return "world.Client{" + c.String() + "}" }
