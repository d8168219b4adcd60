package world

import "math"

const (
	// MaxPacket is the longest packet of a client that is taken, in bytes, header
	// included; a longer one is a violation at its header. Servers of the family
	// take 10240, but no client sends a tenth of this before it plays, lists of
	// many add-ons aside, and the server keeps no more undecoded bytes of a
	// connection (its MaxPending, equal to this: what is not whole is shorter).
	MaxPacket = 8 << 10
	// MaxBody is MaxPacket without the header.
	MaxBody = MaxPacket - clientHeaderLen
	// MaxReplyBody is the longest body that is sent to a client, or taken from a
	// server by a Client, in bytes. It is what a u16 size can say; 3.3.5 could say
	// more, but the bound on a connection's unsent bytes is not far above.
	MaxReplyBody = math.MaxUint16 - serverOpcodeLen
	// MaxAddonSize is the longest list of add-ons that a client may announce, in
	// bytes before compression, as servers of the family have it. The list is
	// never inflated here: whoever does so must stop at what was announced.
	MaxAddonSize = 0xFFFFF
	// MaxOpcode is the highest opcode taken from a client. The highest of 3.3.5 is
	// 51E; one far above means that the ciphers of the two sides have come apart.
	MaxOpcode = 0xFFF
)
