package native

// Options set a Codec up. There is nothing to set so far.
type Options struct{}

// Codec opens sessions of a login server. It is immutable and may be used from any
// goroutine.
type Codec struct{}

// New makes a Codec.
func New(Options) *Codec { return &Codec{} }

// Open starts the protocol for one connection.
func (c *Codec) Open() *Session { return &Session{newLink(false, MaxLoginBody)} }

// MaxMessage is the longest frame that is taken from a client, in bytes with its
// length and seal.
func (c *Codec) MaxMessage() int { return HeaderSize + MaxLoginBody + SealSize }

// GateCodec opens sessions of a world's gate. It is immutable and may be used from any
// goroutine.
type GateCodec struct{ world uint8 }

// NewGate makes a GateCodec for the gate of a world.
func NewGate(world uint8) *GateCodec { return &GateCodec{world} }

// Open starts the protocol for one connection.
func (c *GateCodec) Open() *GateSession {
	return &GateSession{link: newLink(true, MaxGateBody), world: c.world}
}

// MaxMessage is the longest frame that is taken from a client, in bytes with its
// length and seal.
func (c *GateCodec) MaxMessage() int { return HeaderSize + MaxGateBody + SealSize }
