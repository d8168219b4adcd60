// Package world turns the bytes that clients of the mangos family, 1.12 to 3.3.5a,
// exchange with a world's gate into codec.Message and codec.Reply into bytes: the
// handshake, the wait queue, and packets after that.
//
// It owns the wire: layouts by era, opcodes, auth codes, the header ciphers and how
// the client's digest is made. It does not know accounts, keys, worlds or sockets,
// and judges no proof. A gate speaks one era, since it has to speak first. A reactor
// opens one Session a connection and calls it from its own goroutine only; a Client
// is the other half, for load clients and tests; all functions are pure and may be
// called from anywhere.
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
// A header, then a body whose length the header tells. Sizes are big-endian and count
// what follows them, everything else is little-endian, the figure in a box is its size
// in bytes. ParseX and AppendX of a message are about its body; headers, which are
// encrypted, are the business of Session and Client.
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
// The first packet of either side is in the clear; from the key on every header is
// encrypted, bodies never. Each direction has a Cipher of its own,
// which runs over all its headers: one that is lost or read twice cannot be made good.
// A header that was decrypted before its body was whole therefore stays in the
// Session, while the bytes stay with the caller.
//
// A client that is waiting is not read: its packets, if any, are encrypted with a key
// that is still on its way, or not at all if it will be refused.
//
// Where known servers disagree the reading is chosen, with its reason, on the line
// that implements it, tagged CONFLICT.
package world
