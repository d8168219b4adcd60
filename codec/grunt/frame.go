package grunt

import (
	"encoding/binary"

	"gatepass/codec"
)

// fileFrame is the layout of file frames.
var fileFrame = codec.FileFrame{Head: transferHead, Data: MaxTransferChunk}

// FileFrame returns the layout of file frames: an opcode, a length and at most 4096 bytes.
func (s *Session) FileFrame() codec.FileFrame { return fileFrame }

// FrameFile turns the n bytes (1 … Data) at frame[Head:] into an XFER_DATA and returns its
// size. The frame does not contain the file offset. It returns 0 once the client was refused.
// It does not allocate.
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

// UnframeFile does nothing, because no frame depends on earlier ones.
func (s *Session) UnframeFile(int) {}
