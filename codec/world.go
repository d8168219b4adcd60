package codec

import (
	"fmt"
	"log/slog"
)

// WorldMessage is a message of a client to a world's gate. Nothing in it aliases a read
// buffer.
type WorldMessage struct {
	// Auth is set for KindWorldAuth.
	Auth WorldAuth
	// Opcode is the packet's number, for KindWorldPacket.
	Opcode uint32
	// Body is a copy of the packet without its header; nil if it is empty.
	Body []byte
}

// WorldAuth is the first message of a client to a world's gate.
type WorldAuth struct {
	// Name is the account name as the client sent it. Real clients send capitals.
	Name Name
	// Build is the client's build. If the gate does not accept it, only Name and Build are
	// set.
	Build uint16
	// ClientSeed is the client's seed for the digest, as sent.
	ClientSeed [4]byte
	// Realm is the id of the selected realm if the client's version sends it (3.3.5), else 0.
	Realm uint32
	// Digest proves that the client holds the account's session key.
	Digest [20]byte
}

// WorldReply is a reply of a world's gate to one client. It may hold a session key. Formatting
// or logging it does not show the key.
type WorldReply struct {
	// Seed is the server's seed for the digest, for ReplyWorldChallenge, with Random if the
	// version has it (3.3.5).
	Seed   [4]byte
	Random [32]byte
	// Code is the auth code as sent, for ReplyWorldAuth.
	Code uint8
	// Long asks for the longer form of a queue position, which is used for the first one.
	Long bool
	// Position is the position in the queue, where 1 is next; for the queue's code.
	Position uint32
	// Key is the session key if KeySet is true. It is given once. From that reply on,
	// including it, the headers of both directions are encrypted.
	Key    [40]byte
	KeySet bool
	// Opcode and Body are a packet, for ReplyWorldPacket.
	Opcode uint16
	Body   []byte
}

// String returns a text for logs without key, seed and body.
func (r WorldReply) String() string {
	return fmt.Sprintf("code=%#02x long=%t position=%d key-set=%t opcode=%#x body=%d bytes",
		r.Code, r.Long, r.Position, r.KeySet, r.Opcode, len(r.Body))
}

// GoString returns a text without the key, for %#v.
func (r WorldReply) GoString() string { return "codec.WorldReply{" + r.String() + "}" }

// LogValue keeps the key out of structured logs.
func (r WorldReply) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText keeps the key out of JSON.
func (r WorldReply) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
