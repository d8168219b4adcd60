package world

import (
	"encoding/binary"

	"gatepass/codec"
)

// The lengths of headers and of the opcodes in them. A size counts the opcode too.
const (
	clientHeaderLen     = 6
	clientOpcodeLen     = 4
	serverHeaderLen     = 4
	longServerHeaderLen = 5
	serverOpcodeLen     = 2
)

// maxShortSize is the largest size that 3.3.5 writes in two bytes. longBit in the first byte
// says that the size has three.
const (
	maxShortSize = 0x7FFF
	longBit      = 0x80
)

// ClientHeader is the header of a client's packet.
type ClientHeader struct {
	// Size is the number of bytes after the size field: opcode and body.
	Size uint16
	// Opcode is the packet's number.
	Opcode uint32
}

// Append writes the header, in the clear: 6 bytes.
func (h ClientHeader) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, h.Size)
	return binary.LittleEndian.AppendUint32(dst, h.Opcode)
}

// ParseClientHeader reads a header that is in the clear.
func ParseClientHeader(b []byte) (ClientHeader, int, error) {
	if len(b) < clientHeaderLen {
		return ClientHeader{}, 0, codec.ErrShort
	}
	return ClientHeader{
		Size:   binary.BigEndian.Uint16(b),
		Opcode: binary.LittleEndian.Uint32(b[2:]),
	}, clientHeaderLen, nil
}

// ServerHeader is the header of a server's packet.
type ServerHeader struct {
	// Size is the number of bytes after the size field: opcode and body.
	Size uint32
	// Opcode is the packet's number.
	Opcode uint16
}

// Append writes the header, in the clear: 4 bytes, 5 in 3.3.5 for a Size above
// 7FFF. Size must be at most FFFF, in 3.3.5 at most 7FFFFF.
func (h ServerHeader) Append(dst []byte, e Era) []byte {
	if e == Era335 && h.Size > maxShortSize {
		dst = append(dst, longBit|byte(h.Size>>16))
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(h.Size))
	return binary.LittleEndian.AppendUint16(dst, h.Opcode)
}

// ParseServerHeader reads a header that is in the clear.
func ParseServerHeader(b []byte, e Era) (ServerHeader, int, error) {
	if len(b) < serverHeaderLen {
		return ServerHeader{}, 0, codec.ErrShort
	}
	size, n := uint32(binary.BigEndian.Uint16(b)), 2
	if e.isLong(b[0]) {
		size, n = uint32(b[0]&^longBit)<<16|uint32(binary.BigEndian.Uint16(b[1:])), 3
	}
	if len(b) < n+serverOpcodeLen {
		return ServerHeader{}, 0, codec.ErrShort
	}
	return ServerHeader{Size: size, Opcode: binary.LittleEndian.Uint16(b[n:])}, n + serverOpcodeLen, nil
}

// isLong reports, by the first byte of a server's header, whether the header has 5 bytes.
func (e Era) isLong(first byte) bool { return e == Era335 && first&longBit != 0 }
