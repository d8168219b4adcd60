package server

import "gatepass/codec"

// Framer is a Session that can carry a file: it makes frames of the data where that
// stands. Its methods are called on the connection's reactor.
type Framer interface {
	// FileFrame is how its frames are built; always the same.
	FileFrame() codec.FileFrame
	// FrameFile makes a frame of the n bytes of a file, 1 … Data, that stand at
	// frame[Head:Head+n] and in the file at offset. frame is Head+Data+Tail long. It
	// returns how long the frame is, which begins at frame[0]; 0 when nothing of a file
	// can be said to this client any more.
	FrameFile(frame []byte, offset uint64, n int) (size int)
	// UnframeFile takes the last so many frames back, of which no byte was sent: what is
	// framed or said next takes their place.
	UnframeFile(frames int)
}
