package native

// The limits of the native protocol, in bytes unless said otherwise, each with its
// reason. A length that is beyond its bound is refused at the frame's header, before
// anything is kept for its sake. A body is the protobuf message, without the length
// in front and the seal behind.
const (
	// HeaderSize is the length in front of every frame.
	HeaderSize = 4
	// SealSize is what a sealed frame has more than its body: the tag of RFC 8439.
	SealSize = 16

	// MaxFirstBody bounds what a client says in the clear, when nobody knows yet who
	// it is. The longest, a password proof in the group of 4096 bits, has 552.
	MaxFirstBody = 1 << 10
	// MaxLoginBody bounds what a client says to a login server under seal. What it
	// may say has fewer than 110; the rest is for what will be added.
	MaxLoginBody = 4 << 10
	// MaxPacket bounds the body of a game's packet to the gate. A server keeps no
	// more than 8 KiB that is not decoded of a connection, and a frame has to be whole
	// before it can be opened.
	MaxPacket = 4 << 10
	// MaxGateBody bounds what a client says to a gate under seal: a packet with its
	// opcode, and what will be added to it.
	MaxGateBody = MaxPacket + 64

	// MaxServerBody bounds what a server says. The longest is a list of 255 worlds
	// with the longest names, addresses and numbers, 57,406 at most.
	MaxServerBody = 64 << 10
	// maxFileFrame is a full frame of a file with all that belongs to it. Sealing costs
	// less a byte the longer a frame is (2.36 GB/s for 4 KiB here, 2.52 for 16, no more
	// behind that), and a client that is stalled holds up one frame at most.
	maxFileFrame = 16 << 10
	// MinUpdateWindow is the least that may be on the way to a client unacknowledged,
	// whatever it asks for: some frames, and the acknowledgement of a quarter of them.
	MinUpdateWindow = 64 << 10
	// MaxUpdateWindow is the most: a line of 1 Gbit/s is full with it over 130 ms.
	MaxUpdateWindow = 16 << 20

	// MaxReplyPacket bounds the body of a game's packet from the gate.
	MaxReplyPacket = 60 << 10

	// MaxFrames is how many frames one direction of a channel may carry. A client
	// that sends a million a second gets there in nine years; the counter has 64 bits,
	// so that no nonce is ever used twice.
	MaxFrames = 1 << 48
)
