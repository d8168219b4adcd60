// Package codec is the vocabulary that the stages of gatepass share: the
// handle of a connection, the messages a client may send, the replies it may
// get, and the two ways in which bytes can be wrong.
//
// A protocol (codec/grunt, codec/world, codec/native) turns bytes into a
// Message and a Reply into bytes. Both are plain values without pointers into any
// buffer, so that they can be queued between goroutines as they are:
//
//	socket ─▶ reactor ─▶ protocol.Decode ─▶ Message ─▶ inbox ─▶ logic
//	socket ◀─ reactor ◀─ protocol.Append ◀─ Reply   ◀─ send queue ◀─┘
//
// Everything here is a pure function of its arguments and may be called from
// any goroutine. The package imports nothing of ours.
package codec
