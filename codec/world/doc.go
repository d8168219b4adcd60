// Package world decodes the protocol between clients of the mangos family, 1.12 to 3.3.5a, and
// a world's gate to codec.Message, and encodes codec.Reply: the handshake, the wait queue, and
// later packets.
//
// It has the wire format: layouts by era, opcodes, auth codes, the header ciphers and the
// client's digest. It does not know accounts, keys, worlds or sockets, and does not check
// proofs. A gate has one era, because it speaks first. A reactor opens one Session per
// connection and calls it from its own goroutine only. A Client is the client's half, for load
// clients and tests. All functions are pure and may be called from any goroutine.
//
//	c, err := world.New(world.Options{Builds: []uint16{5875}})
//	s := c.Open()
//	out, _ = s.Append(out, &codec.Reply{Kind: codec.ReplyWorldChallenge, World: &codec.WorldReply{Seed: seed}})
//	n, err := s.Decode(unread, &m)              // KindWorldAuth
//	want := world.Digest(m.World.Auth.Name.Bytes(), m.World.Auth.ClientSeed, seed, &key)
//	out, _ = s.Append(out, &codec.Reply{Kind: codec.ReplyWorldAuth, World: &codec.WorldReply{
//		Code: world.CodeOK, Key: key, KeySet: true}})
//	n, err = s.Decode(unread, &m)               // KindWorldPacket
//
// # Bytes
//
// A packet is a header and a body; the header has the body's length. Sizes are big-endian and
// count the bytes that follow them. All other numbers are little-endian. The number in a box
// is its size in bytes. The functions ParseX and AppendX of a message handle its body. Session
// and Client handle headers, because headers are encrypted.
//
//	from a client             from a server          3.3.5, size above 7FFF
//	┌──────┬────────┬──────┐  ┌──────┬────────┬──────┐  ┌───────────────┬────────┬──────┐
//	│ size │ opcode │ body │  │ size │ opcode │ body │  │ 800000 + size │ opcode │ body │
//	│ 2    │ 4      │ …    │  │ 2    │ 2      │ …    │  │ 3             │ 2      │ …    │
//	└──────┴────────┴──────┘  └──────┴────────┴──────┘  └───────────────┴────────┴──────┘
//
//	SMSG_AUTH_CHALLENGE 1EC     3.3.5
//	┌──────┐                    ┌───┬──────┬────────┐
//	│ seed │                    │ 1 │ seed │ random │
//	│ 4    │                    │ 4 │ 4    │ 32     │
//	└──────┘                    └───┴──────┴────────┘
//
//	CMSG_AUTH_SESSION 1ED
//	┌───────┬──────────────┬─────────┬────────┬─────────────┬────────┬─────────────┬───────┬─────┬────────┬─────────┬──────┐
//	│ build │ login server │ name, 0 │ type   │ client seed │ region │ battlegroup │ realm │ DoS │ digest │ inflated│ zlib │
//	│ 4     │ 4            │ 2 … 17  │ 4      │ 4           │ 4      │ 4           │ 4     │ 8   │ 20     │ 4       │ …    │
//	└───────┴──────────────┴─────────┴ 3.3.5 ─┴─────────────┴ 3.3.5 ─────────────────────┴─────┴────────┴─────────┴──────┘
//
//	SMSG_AUTH_RESPONSE 1EE
//	┌──────┬──────────────┬───────────────┬────────────────┬─────────────┬──────────┬────────────────┐
//	│ code │ billing time │ billing flags │ billing rested │ expansion   │ position │ free migration │
//	│ 1    │ 4            │ 1             │ 4              │ 1           │ 4        │ 1              │
//	└──────┴ 0C to who did not wait, first 1B ────────────┴ 2.x, 3.3.5 ─┴ 1B ──────┴ 1B, 3.3.5 ─────┘
//
//	CMSG_CHAR_ENUM 037   SMSG_CHAR_ENUM 03B   CMSG_PING 1DC            SMSG_PONG 1DD
//	no body              ┌───────┬─────┐      ┌──────────┬─────────┐   ┌──────────┐
//	                     │ count │ …   │      │ sequence │ latency │   │ sequence │
//	                     │ 1     │     │      │ 4        │ 4       │   │ 4        │
//	                     └───────┴─────┘      └──────────┴─────────┘   └──────────┘
//
// # Which packet when
//
//	         challenge ▶            ◀ AUTH_SESSION                  ▶ AUTH_RESPONSE with the key
//	connected ───────── start ──────────────────── waiting ────────────────────────────── open ◀─┐
//	                      │                           │                                    │  any ├─┘
//	                      └── refused in the clear ───┴──▶ over ◀── refused, encrypted ────┘
//
// The first packet of each side is in the clear. After the reply with the key every header is
// encrypted; bodies never are. Each direction has its own Cipher, a stream over all its
// headers: after a header that is skipped or read twice it cannot recover. So if a header was
// decrypted before its whole body arrived, the Session keeps the header, and the caller keeps
// the bytes.
//
// While a client is waiting, Decode reads nothing from it. Its packets, if any, are encrypted
// with a key that the server does not have yet, or not encrypted if it will be refused.
//
// Where known servers disagree, the line that implements the choice has the reason and the tag
// CONFLICT.
package world
