package records

import (
	"fmt"

	"gatepass/storage"
)

// Version is the first byte of every record.
const Version = 1

// decoder reads one record. After a field that does not fit all further reads return zero;
// end reports whether everything fitted.
type decoder struct {
	left []byte
	bad  bool
}

// take returns the next n bytes, which alias the record.
func (d *decoder) take(n int) []byte {
	if n > len(d.left) {
		d.bad, d.left = true, nil
		return nil
	}
	b := d.left[:n]
	d.left = d.left[n:]
	return b
}

func (d *decoder) u8() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) u16() int {
	if b := d.take(2); b != nil {
		return int(order.Uint16(b))
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return order.Uint32(b)
	}
	return 0
}

func (d *decoder) i64() int64 {
	if b := d.take(8); b != nil {
		return int64(order.Uint64(b))
	}
	return 0
}

// text reads a length byte and as many bytes.
func (d *decoder) text() string { return string(d.take(int(d.u8()))) }

// require marks the record as bad unless ok.
func (d *decoder) require(ok bool) { d.bad = d.bad || !ok }

// version reads the version of a record of the given kind.
func (d *decoder) version(kind string) error {
	switch v := d.u8(); {
	case d.bad:
		return fmt.Errorf("%w: %s", storage.ErrCorrupt, kind)
	case v != Version:
		return fmt.Errorf("%w: %s version %d", storage.ErrRecordVersion, kind, v)
	}
	return nil
}

// end checks that a record of the given kind was read to its end.
func (d *decoder) end(kind string) error {
	if d.bad || len(d.left) != 0 {
		return fmt.Errorf("%w: %s", storage.ErrCorrupt, kind)
	}
	return nil
}

func appendText(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }
