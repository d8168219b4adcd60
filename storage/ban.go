package storage

import "net/netip"

// MaxText bounds each of Ban.Reason and Ban.By, in bytes.
const MaxText = 255

// Ban closes an account or an address range.
type Ban struct {
	// Set is false where there is no ban.
	Set bool
	// Since and Until are in Unix seconds; Until 0 is for good.
	Since, Until int64
	Reason, By   string
}

// Active reports whether the ban holds at the time now (Unix seconds).
func (b *Ban) Active(now int64) bool { return b.Set && (b.Until == 0 || now < b.Until) }

// AddressBan closes a range of addresses.
type AddressBan struct {
	Prefix netip.Prefix
	Ban    Ban
}

// ValidBan reports whether a ban can be stored.
func ValidBan(b *Ban) bool { return len(b.Reason) <= MaxText && len(b.By) <= MaxText }

// FoldPrefix returns the one spelling of an address range, in which ranges are stored
// and compared: host bits are zero, and IPv4 inside IPv6 is IPv4. ok is false where p
// is not a range.
func FoldPrefix(p netip.Prefix) (folded netip.Prefix, ok bool) {
	if !p.IsValid() {
		return p, false
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}
