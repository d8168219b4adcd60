package world

import "math"

const (
	// MaxPacket is the maximum length of a client's packet in bytes, including the header. A
	// longer one is a violation as soon as its header is there. Servers of the family accept
	// 10240, but before play no client sends a tenth of this limit, except in a list of many
	// add-ons. The server keeps at most the same number of undecoded bytes per connection (its
	// MaxPending), so an incomplete packet always fits.
	MaxPacket = 8 << 10
	// MaxBody is MaxPacket without the header.
	MaxBody = MaxPacket - clientHeaderLen
	// MaxReplyBody is the maximum length in bytes of a body that is sent to a client, or
	// accepted from a server by a Client. It is the limit of a u16 size. 3.3.5 has longer
	// sizes, but the limit on a connection's unsent bytes is not much higher.
	MaxReplyBody = math.MaxUint16 - serverOpcodeLen
	// MaxAddonSize is the maximum length of the list of add-ons that a client may announce, in
	// bytes before compression, as in servers of the family. This package never decompresses
	// the list. Code that does must stop at the announced length.
	MaxAddonSize = 0xFFFFF
	// MaxOpcode is the highest opcode accepted from a client. The highest of 3.3.5 is 51E. A
	// much higher one means that the ciphers of the two sides are out of step.
	MaxOpcode = 0xFFF
)
