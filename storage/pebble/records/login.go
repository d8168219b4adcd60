package records

import (
	"net/netip"

	"gatepass/storage"
)

// maxLoginRecord is the size of a login record with an IPv6 address.
const maxLoginRecord = 1 + 8 + 8 + 4 + 1 + 16

// AppendLogin appends a login record. Zones of addresses are dropped and IPv4
// inside IPv6 becomes IPv4.
func AppendLogin(b []byte, l *storage.LoginRecord) []byte {
	b = append(b, Version)
	b = order.AppendUint64(b, uint64(l.LastLogin))
	b = order.AppendUint64(b, uint64(l.LastFailed))
	b = order.AppendUint32(b, l.Failed)
	return appendAddr(b, l.LastAddr)
}

// appendAddr appends a size byte and as many of an address, which may be none.
func appendAddr(b []byte, addr netip.Addr) []byte {
	switch a := addr.Unmap(); {
	case a.Is4():
		v4 := a.As4()
		return append(append(b, 4), v4[:]...)
	case a.Is6():
		v6 := a.As16()
		return append(append(b, 16), v6[:]...)
	}
	return append(b, 0)
}

func ParseLogin(b []byte) (storage.LoginRecord, error) {
	const kind = "login"
	d := decoder{left: b}
	if err := d.version(kind); err != nil {
		return storage.LoginRecord{}, err
	}
	l := storage.LoginRecord{LastLogin: d.i64(), LastFailed: d.i64(), Failed: d.u32(), LastAddr: d.addr()}
	return l, d.end(kind)
}

// addr reads what appendAddr wrote.
func (d *decoder) addr() netip.Addr {
	n := int(d.u8())
	if n == 0 {
		return netip.Addr{}
	}
	addr, ok := netip.AddrFromSlice(d.take(n))
	d.require(ok && !addr.Is4In6())
	return addr
}
