package records

import "gatepass/storage"

// decoysRecord is the size of the record: version, flags, Marked, secret.
const decoysRecord = 1 + 1 + 2 + 32

const (
	flagShared = 1 << iota
	flagZeroTop
)

func AppendDecoys(b []byte, d *storage.Decoys) []byte {
	flags := byte(0)
	if d.Shared {
		flags |= flagShared
	}
	if d.Salts.ZeroTop {
		flags |= flagZeroTop
	}
	return append(order.AppendUint16(append(b, Version, flags), d.Salts.Marked), d.Secret[:]...)
}

func ParseDecoys(b []byte, to *storage.Decoys) error {
	const kind = "decoys"
	d := decoder{left: b}
	if err := d.version(kind); err != nil {
		return err
	}
	flags := d.u8()
	to.Shared, to.Salts.ZeroTop = flags&flagShared != 0, flags&flagZeroTop != 0
	to.Salts.Marked = uint16(d.u16())
	copy(to.Secret[:], d.take(len(to.Secret)))
	d.require(flags < flagZeroTop<<1 && to.Salts.Marked <= storage.AllMarked)
	return d.end(kind)
}
