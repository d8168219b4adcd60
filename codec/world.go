package codec

import (
	"fmt"
	"log/slog"
)

// WorldMessage is what a client says to a world's gate. Nothing in it aliases a
// read buffer.
type WorldMessage struct {
	// Auth is set for KindWorldAuth.
	Auth WorldAuth
	// Opcode is the packet's number, for KindWorldPacket.
	Opcode uint32
	// Body is the packet behind its header, a copy; nil when it is empty.
	Body []byte
}

// WorldAuth is how a client introduces itself at a world's gate.
type WorldAuth struct {
	// Name is the account as the client sent it, in capitals from real clients.
	Name Name
	// Build is what the client runs. For one that the gate does not take, only
	// Name and Build are known.
	Build uint16
	// ClientSeed is the client's half of what the digest is made over, as sent.
	ClientSeed [4]byte
	// Realm is the id of the realm that the client picked, where its version
	// sends it (3.3.5), else 0.
	Realm uint32
	// Digest proves that the client holds the account's session key.
	Digest [20]byte
}

// WorldReply is what a world's gate says to one client. It may hold a session
// key, which no text made of it shows.
type WorldReply struct {
	// Seed is the server's half of what the digest is made over, for
	// ReplyWorldChallenge, with Random where the version has it (3.3.5).
	Seed   [4]byte
	Random [32]byte
	// Code is the wire's auth code, for ReplyWorldAuth.
	Code uint8
	// Long asks for the longer form of a place in the queue, which is sent first.
	Long bool
	// Position is the place in the queue, 1 being next; for the queue's code.
	Position uint32
	// Key is the session key, where KeySet is. It is given once: from that reply
	// on, itself included, the headers of both directions are encrypted.
	Key    [40]byte
	KeySet bool
	// Opcode and Body are a packet, for ReplyWorldPacket.
	Opcode uint16
	Body   []byte
}

// String is for logs; it has no key, seed or body.
func (r WorldReply) String() string {
	return fmt.Sprintf("code=%#02x long=%t position=%d key-set=%t opcode=%#x body=%d bytes",
		r.Code, r.Long, r.Position, r.KeySet, r.Opcode, len(r.Body))
}

// GoString keeps the key out of %#v too.
func (r WorldReply) GoString() string { return "codec.WorldReply{" + r.String() + "}" }

// LogValue keeps the key out of structured logs.
func (r WorldReply) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText keeps the key out of JSON.
func (r WorldReply) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
