// Package codec has the types that the stages of gatepass share: the handle of a connection,
// the messages of a client, the replies to it, and the two errors of a decoder (incomplete
// input and a protocol violation).
//
// A protocol (codec/grunt, codec/world, codec/native) decodes bytes to a Message and encodes a
// Reply to bytes. Both are plain values without pointers into a buffer, so goroutines can
// queue them without a copy of the buffer:
//
//	socket ─▶ reactor ─▶ protocol.Decode ─▶ Message ─▶ inbox ─▶ logic
//	socket ◀─ reactor ◀─ protocol.Append ◀─ Reply   ◀─ send queue ◀─┘
//
// All functions here are pure and may be called from any goroutine. The package imports no
// other package of gatepass.
package codec
