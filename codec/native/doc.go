// Package native turns the bytes of gatepass's own protocol into codec.Message and
// codec.Reply into bytes, for login servers and for the gates of worlds.
//
// It owns the wire: frames, bounds, the order of the handshake, the transcript of what
// was said, and the sealed channel. It does not know accounts, passwords, tokens or
// passes, and judges no proof: the keys of a channel come with the reply that opens
// it. A reactor opens one Session (GateSession) a connection and calls it from its own
// goroutine only; lists of worlds, which many clients get, are encoded once anywhere
// and sealed for each. Direction and Transcript are also what a client is made of. It
// writes its messages with gatepasspb, generated from gatepass.proto; here they are
// read and written by hand, since generated code allocates for each.
//
//	s := native.New(native.Options{}).Open()
//	n, err := s.Decode(unread, &m)              // KindSignIn
//	out, err = s.Append(out, &challenge)        // ReplyPasswordChallenge
//	n, err = s.Decode(unread, &m)               // KindPasswordProof, with its transcript
//	out, err = s.Append(out, &accepted)         // ReplyAccepted; from here on all is sealed
//	out, err = s.AppendFrame(out, native.AppendWorldSnapshot(nil, 1, false, list))
//	n, err = s.Decode(unread, &m)               // KindPing, KindSelectWorld …
//	size := s.FrameFile(piece, offset, n)       // a stretch of a file, where it was read to
//
// # Bytes
//
// The length counts what follows it and is little-endian; the figure in a box is its
// size in bytes. The body is one protobuf message, see gatepass.proto.
//
//	in the clear                sealed
//	┌────────┬────────┐         ┌────────┬────────────────┬─────┐
//	│ length │ body   │         │ length │ body,          │ tag │
//	│        │        │         │        │ encrypted      │     │
//	│ 4      │ length │         │ 4      │ length less 16 │ 16  │
//	└────────┴────────┘         └────────┴────────────────┴─────┘
//	                             └ additional data of the seal
//
//	nonce of a seal             transcript
//	┌──────┬──────────────┐     T(0)   = SHA-256(label)
//	│ zero │ frames       │     T(n+1) = SHA-256(T(n) ‖ SHA-256(body n))
//	│      │ before, LE   │
//	│ 4    │ 8            │
//	└──────┴──────────────┘
//
//	a full frame of a file, 16384 bytes
//	┌────────┬──────────────────┬───────────┬───────────────┬───────┬─────┐
//	│ length │ UpdateData, size │ 1: offset │ 2: data, size │ data  │ tag │
//	│ 4      │ 2, 2             │ 1, 8      │ 1, 2          │ 16348 │ 16  │
//	└────────┴──────────────────┴───────────┴───────────────┴───────┴─────┘
//	                             └ not there at 0
//
// # Which message when
//
//	login server
//	       ◀ SignIn        ▶ challenge               ◀ proof         ▶ Accepted, keys
//	start ────────▶ greeted ────────▶ password, token ──────▶ proving ────────────▶ open
//
//	gate
//	       ▶ GateChallenge           ◀ GateHello            ▶ GateAccepted, keys
//	start ────────────────────▶ pass ──────────▶ proving ──────────────────▶ open
//
//	in any of them ─ ▶ Refused, Kicked ─▶ over      open ─ ▶ UpdateSent, UpdateFailed ─▶ ending ─ ▶ Kicked ─▶ over
//
// A client that is proving is not read: its next frame is sealed with a key that is
// still being worked out, or is of no interest if it will be refused.
//
// docs/native-protocol.md says the same at length, for who writes a client.
package native
