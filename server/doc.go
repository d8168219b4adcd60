// Package server moves bytes between sockets and the logic; it does not interpret messages. It
// owns the sockets and performs stages 1 to 3 and 7 to 8 of a message's path:
//
//	socket ─1─▶ reactor ─2─▶ ring ─3─▶ codec ─▶ Sink …
//	… SendQueue ─7─▶ sender ─8─▶ reactor ─▶ socket
//
// A reactor is one gnet event loop: one goroutine that accepts, reads, frames, decodes and
// writes its own connections. It gives decoded messages to its Sink (the logic's inbox shard).
// It gets what it writes from the sender, in batches. Goroutines refer to a connection only by
// its handle (codec.Conn), and the reactor looks the handle up in its own table. A reply to a
// closed connection is therefore dropped, even when another connection has the same file
// descriptor by then.
//
// A server has one or more listeners. Each listener has its own protocol; all share the
// reactors, the send queue and the connection cap. Where a codec seals its output (Sealer),
// shared frames go through that codec too.
//
// A codec may also carry files (Framer). A file is sent in turns, in frames of its own between
// the replies. The pump's readers read the turns; the reactor frames them in place and writes
// them straight to the socket:
//
//	SendQueue.StartTransfer ─▶ reactor: stream ─▶ line ─▶ reader ─▶ reactor: frame, write ┐
//	                                              ▲ the socket takes more, or was acked  │
//	                                              └──────────────────────────────────────┘
//
// Bytes that a socket does not take are dropped and read again later. A transfer whose client
// does not read therefore costs a struct and the rest of one frame. A message reports the end
// of a transfer (codec.KindTransferEnded).
//
// Ownership: a clientConn, its stream and its table belong to their reactor. The sender owns
// its groups. A turn belongs to the goroutine that holds it. Everything that crosses between
// goroutines goes through package queue. In comments, "reactor" means the reactor's goroutine,
// "sender" the sender's goroutine, and "anywhere" any goroutine.
//
// The package does not import logic, storage or auth; cmd connects them.
package server
