// Package server moves bytes and knows no meaning. It owns the sockets, and
// with them stages 1 to 3 and 7 to 8 of a message's way:
//
//	socket ─1─▶ reactor ─2─▶ ring ─3─▶ codec ─▶ Sink …
//	… SendQueue ─7─▶ sender ─8─▶ reactor ─▶ socket
//
// A reactor is one gnet event loop: one goroutine that accepts, reads, frames,
// decodes and writes the connections that are its own. What it decodes goes to
// its Sink (the logic's inbox shard); what it writes comes from the sender in
// batches. Between goroutines a connection is only ever named by its handle
// (codec.Conn): the reactor looks it up in its own table, so a reply to a dead
// connection is dropped, whoever has its file descriptor by then.
//
// A server has one or more listeners, each with a protocol of its own; they share
// the reactors, the send queue and the cap. Where a codec seals what it says
// (Sealer), frames that others get as they are go through it too.
//
// A codec may also carry files (Framer). A file goes out in turns, in its own frames
// between the replies: the pump's readers read them, and the reactor frames them where
// they stand and writes them straight to the socket:
//
//	SendQueue.StartTransfer ─▶ reactor: stream ─▶ line ─▶ reader ─▶ reactor: frame, write ┐
//	                                              ▲ the socket takes more, or was acked  │
//	                                              └──────────────────────────────────────┘
//
// What a socket does not take is dropped and read again, so what a transfer costs while
// its client does not read is a struct and the rest of one frame. The end is told by a
// message (codec.KindTransferEnded).
//
// Ownership: a clientConn, its stream and its table belong to their reactor; the
// sender owns its groups, a turn belongs to who holds it; everything that crosses goes through package queue. The
// words in the comments: "reactor" is the reactor's goroutine, "sender" the
// sender's, "anywhere" any goroutine.
//
// The package does not know logic, storage or auth; cmd plugs them together.
package server
