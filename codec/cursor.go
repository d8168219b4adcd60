package codec

import "encoding/binary"

// Cursor reads fixed-size little-endian fields from the front of a buffer. A read past the end
// returns zeros and sets Short. So a parser reads all fields and checks Short once. The zero
// value has nothing to read.
//
// A Cursor does not copy the buffer: the result of Bytes aliases it.
type Cursor struct {
	buf   []byte
	off   int
	short bool
}

// NewCursor returns a Cursor at the first byte of b.
func NewCursor(b []byte) Cursor { return Cursor{buf: b} }

// Bytes returns the next n bytes, or nil if fewer are left.
func (c *Cursor) Bytes(n int) []byte {
	if c.short || n < 0 || len(c.buf)-c.off < n {
		c.short = true
		return nil
	}
	b := c.buf[c.off : c.off+n : c.off+n]
	c.off += n
	return b
}

// Copy fills dst with the next len(dst) bytes.
func (c *Cursor) Copy(dst []byte) { copy(dst, c.Bytes(len(dst))) }

// U8 reads one byte.
func (c *Cursor) U8() uint8 {
	if b := c.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// U16 reads a little-endian u16.
func (c *Cursor) U16() uint16 {
	if b := c.Bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// U32 reads a little-endian u32.
func (c *Cursor) U32() uint32 {
	if b := c.Bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// U64 reads a little-endian u64.
func (c *Cursor) U64() uint64 {
	if b := c.Bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Offset returns the number of bytes read so far.
func (c *Cursor) Offset() int { return c.off }

// Short reports whether a read went past the end.
func (c *Cursor) Short() bool { return c.short }
