package native

// The limits of the native protocol, in bytes unless said otherwise, each with its reason. A
// length beyond its limit is refused when the frame's header is read, before anything is
// stored for it. A body is the protobuf message, without the length before it and the seal
// after it.
const (
	// HeaderSize is the size of the length field of every frame.
	HeaderSize = 4
	// SealSize is the number of bytes that a seal adds to a body: the tag of RFC 8439.
	SealSize = 16

	// MaxFirstBody is the limit of a client's body in the clear, before the client is
	// authenticated. The longest, a password proof in the group of 4096 bits, has 552.
	MaxFirstBody = 1 << 10
	// MaxLoginBody is the limit of a client's sealed body to a login server. Today's messages
	// have fewer than 110; the rest is for future ones.
	MaxLoginBody = 4 << 10
	// MaxPacket is the limit of the body of a game's packet to the gate. A server keeps at
	// most 8 KiB of undecoded bytes per connection, and it can open only a whole frame.
	MaxPacket = 4 << 10
	// MaxGateBody is the limit of a client's sealed body to a gate: a packet with its opcode,
	// and room for future fields.
	MaxGateBody = MaxPacket + 64

	// MaxServerBody is the limit of a server's body. The longest is a list of 255 worlds with
	// the longest names, addresses and numbers, at most 57,406.
	MaxServerBody = 64 << 10
	// maxFileFrame is the size of a full file frame, with header and seal. Longer frames cost
	// less per byte (2.36 GB/s for 4 KiB here, 2.52 for 16, no more beyond that). A stalled
	// client blocks at most one frame.
	maxFileFrame = 16 << 10
	// MinUpdateWindow is the smallest window of unacknowledged bytes, even if the client asks
	// for less. It has room for some frames, and a client acknowledges after a quarter of it.
	MinUpdateWindow = 64 << 10
	// MaxUpdateWindow is the largest window. It fills a link of 1 Gbit/s with a round-trip
	// time of 130 ms.
	MaxUpdateWindow = 16 << 20

	// MaxReplyPacket is the limit of the body of a game's packet from the gate.
	MaxReplyPacket = 60 << 10

	// MaxFrames is the number of frames that one direction of a channel may carry. A client
	// that sends a million per second reaches it after nine years. The counter has 64 bits, so
	// no nonce is used twice.
	MaxFrames = 1 << 48
)
