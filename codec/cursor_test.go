package codec

import (
	"bytes"
	"testing"
)

func TestCursor_Fields(t *testing.T) {
	c := NewCursor([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
	if v := c.U8(); v != 1 {
		t.Errorf("u8 %#x", v)
	}
	if v := c.U16(); v != 0x0302 {
		t.Errorf("u16 %#x", v)
	}
	if v := c.U32(); v != 0x07060504 {
		t.Errorf("u32 %#x", v)
	}
	if v := c.U64(); v != 0x0f0e0d0c0b0a0908 {
		t.Errorf("u64 %#x", v)
	}
	var two [2]byte
	c.Copy(two[:])
	if two != [2]byte{16, 17} {
		t.Errorf("copied %v", two)
	}
	if b := c.Bytes(2); !bytes.Equal(b, []byte{18, 19}) || c.Offset() != 19 || c.Short() {
		t.Errorf("%v, offset %d, short %v", b, c.Offset(), c.Short())
	}
}

func TestCursor_PastTheEndIsZeroAndStaysShort(t *testing.T) {
	reads := map[string]func(c *Cursor) uint64{
		"u16": func(c *Cursor) uint64 { return uint64(c.U16()) },
		"u32": func(c *Cursor) uint64 { return uint64(c.U32()) },
		"u64": func(c *Cursor) uint64 { return c.U64() },
		"copy": func(c *Cursor) uint64 {
			var b [2]byte
			c.Copy(b[:])
			return uint64(b[0])
		},
	}
	for name, read := range reads {
		c := NewCursor([]byte{0xff})
		if v := read(&c); v != 0 || !c.Short() {
			t.Errorf("%s: %#x, short %v", name, v, c.Short())
		}
		if c.U8() != 0 || c.Offset() != 0 {
			t.Errorf("%s: reads on after the end", name)
		}
	}
}

func TestCursor_Bytes_Edges(t *testing.T) {
	c := NewCursor([]byte{1, 2})
	if b := c.Bytes(0); b == nil || len(b) != 0 || c.Short() {
		t.Errorf("none of two: %v, short %v", b, c.Short())
	}
	b := c.Bytes(1)
	if cap(b) != 1 {
		t.Errorf("an append would overwrite the next field: capacity %d", cap(b))
	}
	if c.Bytes(-1) != nil || !c.Short() {
		t.Error("a negative length is not short")
	}
	var none Cursor
	if none.U8() != 0 || !none.Short() {
		t.Error("the zero Cursor reads something")
	}
}
