package native

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
)

// fileHead is the length of everything before a full frame's data: the frame's length, the tag
// and the length of UpdateData, its offset, and the tag and the length of its data. The tag of
// UpdateData takes two bytes, as does each of the two lengths.
const fileHead = HeaderSize + (2 + 2) + (1 + 8) + (1 + 2)

// fileFrame is the layout of file frames.
var fileFrame = codec.FileFrame{Head: fileHead, Data: maxFileFrame - fileHead - SealSize, Tail: SealSize}

// takeAcceptUpdate: AcceptUpdate{offset, window}.
func takeAcceptUpdate(f *fields, m *codec.Message) {
	m.Kind, m.Number = codec.KindTransferResume, f.number[1]
	m.Window = min(max(f.u32(2), MinUpdateWindow), MaxUpdateWindow)
}

// appendUpdateOffered: UpdateOffered{from_build, to_build, size, sha256, chunk_size,
// chunk_hashes, name, steps, total}.
func appendUpdateOffered(dst []byte, r *codec.Reply) []byte {
	u := r.Native.Update
	dst, at := begin(dst, fieldUpdateOffered)
	dst = appendNumber(dst, 1, uint64(u.From))
	dst = appendNumber(dst, 2, uint64(u.To))
	dst = appendNumber(dst, 3, r.Offer.Size)
	dst = appendBytes(dst, 4, u.SHA256[:])
	dst = appendNumber(dst, 5, uint64(u.ChunkSize))
	dst = appendBytes(dst, 6, u.Hashes)
	dst = appendBytes(dst, 7, u.Name)
	dst = appendNumber(dst, 8, uint64(u.Steps))
	return end(appendNumber(dst, 9, u.Total), at)
}

// appendUpdateDataHead writes UpdateData{offset, data} up to the n bytes of its data.
func appendUpdateDataHead(dst []byte, offset uint64, n int) []byte {
	size := 1 + protowire.SizeVarint(uint64(n)) + n
	if offset != 0 {
		size += 1 + 8
	}
	dst = protowire.AppendTag(dst, fieldUpdateData, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	if offset != 0 {
		dst = protowire.AppendTag(dst, 1, protowire.Fixed64Type)
		dst = protowire.AppendFixed64(dst, offset)
	}
	dst = protowire.AppendTag(dst, 2, protowire.BytesType)
	return protowire.AppendVarint(dst, uint64(n))
}

// FileFrame returns the layout of file frames. A full frame has 16 KiB in all.
func (s *Session) FileFrame() codec.FileFrame { return fileFrame }

// FrameFile turns the n bytes (1 … Data) at frame[Head:], which are at offset in the file,
// into a sealed UpdateData, and returns its size. frame must have the size of a full frame.
// The result begins at frame[0]: if its head is shorter than Head (at offset 0, or with few
// bytes), the data is moved forward. It returns 0 if no more of a file can be sent. It does
// not allocate.
func (s *Session) FrameFile(frame []byte, offset uint64, n int) (size int) {
	if n < 1 || n > fileFrame.Data || len(frame) < fileFrame.Size() {
		panic("native: frame of a file has the wrong size")
	}
	if s.phase != phaseOpen || s.out.Worn() {
		return 0
	}
	head := len(appendUpdateDataHead(frame[:HeaderSize], offset, n))
	if head != fileHead {
		copy(frame[head:], frame[fileHead:fileHead+n])
	}
	size = head + n + SealSize
	header := frame[:HeaderSize]
	binary.LittleEndian.PutUint32(header, uint32(size-HeaderSize))
	s.out.seal(header, frame[HeaderSize:head+n], header)
	return size
}

// UnframeFile undoes the last frames. No byte of them may have been sent, and nothing may have
// been encoded after them. The next frames use the same nonces, so an attacker who sees both
// frames of one nonce learns about their contents and can forge a third. It panics if frames
// is more than were sealed.
func (s *Session) UnframeFile(frames int) {
	if s.phase == phaseOpen {
		s.out.takeBack(frames)
	}
}
