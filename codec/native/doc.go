// Package native decodes gatepass's own protocol to codec.Message and encodes codec.Reply, for
// login servers and for the gates of worlds.
//
// It has the wire format: frames, limits, the order of the handshake, the transcript and the
// sealed channel. It does not know accounts, passwords, tokens or passes, and does not check
// proofs: the reply that opens a channel has its keys. A reactor opens one Session (or
// GateSession) per connection and calls it from its own goroutine only. A list of worlds goes
// to many clients, so any goroutine may encode it once, and each session seals it for its
// client. A client uses Direction and Transcript too. It writes its messages with gatepasspb,
// generated from gatepass.proto. This package reads and writes messages by hand, because
// generated code allocates for each.
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
// The length counts the bytes that follow it and is little-endian. The number in a box is its
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
// While a client is proving, Decode reads nothing from it. Its next frame is sealed with a key
// that the server is still computing. If the server will refuse the client, the frame does not
// matter.
//
// docs/native-protocol.md describes the same in detail, for authors of clients.
package native
