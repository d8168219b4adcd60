package world

import "gatepass/codec"

// Packet is a packet from a server.
type Packet struct {
	Opcode uint16
	// Body aliases the decoded buffer.
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

	// armed says that headers are encrypted from now on. heard says that the server has sent
	// an encrypted header.
	armed, heard bool
	// raw has the first got bytes of a header, which were decrypted before the rest arrived.
	raw        [longServerHeaderLen]byte
	got        int
	recv, send Cipher
}

// NewClient returns the client's half of a connection for that build. It returns ErrBuilds if
// the layouts of the build are not known.
func NewClient(build uint16) (*Client, error) {
	e := EraOf(build)
	if e == 0 {
		return nil, ErrBuilds
	}
	return &Client{era: e}, nil
}

// Era returns the era of the client.
func (c *Client) Era() Era { return c.era }

// AppendAuthSession writes a whole CMSG_AUTH_SESSION, in the clear. All later headers of both
// directions are encrypted with key. It returns ErrName, ErrAddonSize or ErrBody if a cannot
// be encoded.
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

// AppendPacket writes a packet with an encrypted header. It returns ErrNoKey before
// AppendAuthSession, and ErrBody if the body is longer than MaxBody. With room in dst it does
// not allocate.
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

// Decode reads the packet at the front of b and returns its length. codec.ErrShort asks for
// more bytes: call again with the same b and the bytes after it. Any other error is a
// *codec.Violation of the server.
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

// readHeader decrypts the bytes of the header at the front of b that have arrived and are not
// decrypted yet.
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

// isPlainRefusal reports whether header is a refusal in the clear. A server without the
// session key encrypts nothing and answers AppendAuthSession with such a refusal. An encrypted
// header looks the same with a probability of 1 in 2^32.
func (c *Client) isPlainRefusal(header []byte) bool {
	return !c.heard && string(header) == "\x00\x03\xEE\x01"
}

// String returns a text for logs without keys.
func (c *Client) String() string { return "client of " + c.era.String() }

// GoString returns a text without keys, for %#v.
func (c *Client) GoString() string { return "world.Client{" + c.String() + "}" }
