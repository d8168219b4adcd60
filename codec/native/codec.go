package native

// Options configure a Codec. There are no options yet.
type Options struct{}

// Codec makes the sessions of a login server. It is immutable and may be used from any
// goroutine.
type Codec struct{}

// New returns a Codec.
func New(Options) *Codec { return &Codec{} }

// Open starts the protocol for one connection.
func (c *Codec) Open() *Session { return &Session{newLink(false, MaxLoginBody)} }

// MaxMessage returns the length of the longest frame that is accepted from a client, in
// bytes, including its length field and seal.
func (c *Codec) MaxMessage() int { return HeaderSize + MaxLoginBody + SealSize }

// GateCodec makes the sessions of a world's gate. It is immutable and may be used from any
// goroutine.
type GateCodec struct{ world uint8 }

// NewGate returns a GateCodec for the gate of a world.
func NewGate(world uint8) *GateCodec { return &GateCodec{world} }

// Open starts the protocol for one connection.
func (c *GateCodec) Open() *GateSession {
	return &GateSession{link: newLink(true, MaxGateBody), world: c.world}
}

// MaxMessage returns the length of the longest frame that is accepted from a client, in
// bytes, including its length field and seal.
func (c *GateCodec) MaxMessage() int { return HeaderSize + MaxGateBody + SealSize }
