package grunt

import (
	"encoding/binary"

	"gatepass/codec"
)

// fileFrame is how frames of a file are built.
var fileFrame = codec.FileFrame{Head: transferHead, Data: MaxTransferChunk}

// FileFrame is how frames of a file are built: an opcode, a length and at most 4096
// bytes.
func (s *Session) FileFrame() codec.FileFrame { return fileFrame }

// FrameFile makes an XFER_DATA of the n bytes, 1 … Data, that stand at frame[Head:].
// Where they stand in the file is not said in it. 0 once the client was refused. It
// does not allocate.
func (s *Session) FrameFile(frame []byte, _ uint64, n int) (size int) {
	if n < 1 || n > fileFrame.Data || len(frame) < fileFrame.Size() {
		panic("grunt: frame of a file has the wrong size")
	}
	if s.phase == phaseOver {
		return 0
	}
	frame[0] = opTransferData
	binary.LittleEndian.PutUint16(frame[1:], uint16(n))
	return transferHead + n
}

// UnframeFile does nothing: no frame depends on those before it.
func (s *Session) UnframeFile(int) {}
