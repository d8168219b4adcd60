package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"gatepass/storage"
)

// Sentence is the ban that an operator requests.
type Sentence struct {
	// Until is the end of the ban. It must be in the future and before the year 2200.
	Until time.Time
	// Forever makes a ban without an end. Until is then zero.
	Forever bool
	// Reason is one line of at most MaxReason bytes; By names the operator.
	Reason, By string
}

// Ban bans an account. It replaces an older ban.
func (m *Manager) Ban(ctx context.Context, name string, s Sentence) error {
	folded, err := ParseName(name)
	if err != nil {
		return err
	}
	ban, err := m.sentence(s)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpBan, Name: folded, Ban: ban})
	return aboutAccount(folded, err)
}

// Unban removes the ban of an account. It returns storage.ErrNotBanned if there is
// none.
func (m *Manager) Unban(ctx context.Context, name string) error {
	folded, err := ParseName(name)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpUnban, Name: folded})
	return aboutAccount(folded, err)
}

// BanAddress bans an address range. It replaces an older ban of the same range.
func (m *Manager) BanAddress(ctx context.Context, prefix netip.Prefix, s Sentence) error {
	ban, err := m.sentence(s)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpBanAddress, Prefix: prefix, Ban: ban})
	return aboutAddress(prefix, err)
}

// UnbanAddress removes the ban of exactly this range. It returns storage.ErrNotBanned
// if there is none, even if a wider or narrower range is banned.
func (m *Manager) UnbanAddress(ctx context.Context, prefix netip.Prefix) error {
	_, err := m.one(ctx, storage.Op{Kind: storage.OpUnbanAddress, Prefix: prefix})
	return aboutAddress(prefix, err)
}

// AddressBans returns all banned ranges. If some stored bans are damaged, it returns
// the others and a DamagedBansError.
func (m *Manager) AddressBans(ctx context.Context) ([]storage.AddressBan, error) {
	result, err := m.one(ctx, storage.Op{Kind: storage.OpAddressBans})
	if err == nil && len(result.Damaged) > 0 {
		err = &DamagedBansError{Bans: result.Damaged}
	}
	return result.AddressBans, err
}

// ParsePrefix parses an address or a CIDR range. It clears the host bits, so that each
// range has one spelling. Its error is a FieldError.
func ParsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, addrErr := netip.ParseAddr(text)
		if addrErr != nil || addr.Zone() != "" {
			return netip.Prefix{}, &FieldError{Field: "address", Problem: "give an address or a range such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48", cause: err}
		}
		addr = addr.Unmap()
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	switch {
	case prefix.Bits() == 0:
		return netip.Prefix{}, &FieldError{Field: "address", Problem: "this range is everybody; give a smaller one"}
	case prefix.Addr().Is4In6():
		return netip.Prefix{}, &FieldError{Field: "address", Problem: "write the range as IPv4"}
	}
	return prefix.Masked(), nil
}

func (m *Manager) sentence(s Sentence) (storage.Ban, error) {
	ban := storage.Ban{Set: true, Since: m.now(), Reason: s.Reason, By: s.By}
	if err := errors.Join(checkReason("reason", s.Reason), checkReason("by", s.By)); err != nil {
		return ban, err
	}
	switch {
	case s.Forever && !s.Until.IsZero():
		return ban, &FieldError{Field: "until", Problem: "a ban for good has no end; leave it out"}
	case s.Forever:
		return ban, nil
	}
	ban.Until = s.Until.Unix()
	if err := CheckTime("until", ban.Until); err != nil || ban.Until == 0 {
		return ban, cmp.Or(err, error(&FieldError{Field: "until", Problem: "is missing; give a time ahead, or ban for good"}))
	}
	if ban.Until <= ban.Since {
		return ban, &FieldError{Field: "until", Problem: "lies in the past; give a time ahead"}
	}
	return ban, nil
}

func aboutAddress(prefix netip.Prefix, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrNotBanned):
		return &subjectError{fmt.Sprintf("there is no ban of %s: a range is unbanned as it was banned, see 'account list --addresses'", prefix), err}
	}
	return &subjectError{fmt.Sprintf("address %s: %v", prefix, err), err}
}
