package pebble

import (
	"errors"
	"fmt"
	"net/netip"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// addressBans reads all address bans that can be read and names those that cannot: one
// damaged ban must not lift the others. The error is set only if none can be read.
func (v *view) addressBans() (bans []storage.AddressBan, damaged []string, err error) {
	lower, upper := records.Bounds(records.PrefixAddressBan)
	c := banCollector{}
	if err := v.scan(lower, upper, c.take); err == nil {
		return c.bans, c.damaged, nil
	}
	return v.addressBansByPart()
}

// addressBansByPart reads the bans in parts, since a scan ends at a block that cannot be
// read and the parts after it may be readable. A part is the addresses with the same first
// byte.
func (v *view) addressBansByPart() (bans []storage.AddressBan, damaged []string, err error) {
	c, failed := banCollector{}, 0
	var last error
	parts := banParts()
	for _, p := range parts {
		part := banCollector{}
		if err := v.scan(p.lower, p.upper, part.take); err != nil {
			part.damaged = append(part.damaged, fmt.Sprintf("bans within %s: %v", p.name, err))
			last = err
			failed++
		}
		c.bans, c.damaged = append(c.bans, part.bans...), append(c.damaged, part.damaged...)
	}
	if failed == len(parts) {
		return nil, nil, last
	}
	return c.bans, c.damaged, nil
}

// banCollector collects bans and names those that it cannot read.
type banCollector struct {
	bans    []storage.AddressBan
	damaged []string
}

// take adds one entry. It never fails.
func (c *banCollector) take(key, value []byte) error {
	p, err := records.PrefixOf(key)
	if err != nil {
		c.damaged = append(c.damaged, fmt.Sprintf("key %x: %v", key, errors.Join(storage.ErrCorrupt, err)))
		return nil
	}
	ban, err := records.ParseAddressBan(value)
	if err != nil {
		c.damaged = append(c.damaged, fmt.Sprintf("%s: %v", p, err))
		return nil
	}
	c.bans = append(c.bans, storage.AddressBan{Prefix: p, Ban: ban})
	return nil
}

// banPart is a range of keys of address bans.
type banPart struct {
	lower, upper []byte
	name         string
}

// banParts divides all keys of address bans. It includes keys whose size is not that of an
// address, which are damaged.
func banParts() (parts []banPart) {
	at, end := records.Bounds(records.PrefixAddressBan)
	for _, size := range []byte{4, 16} {
		parts = append(parts, banPart{at, []byte{records.PrefixAddressBan, size}, "keys of no address"})
		for first := range 256 {
			at = []byte{records.PrefixAddressBan, size, byte(first)}
			next := []byte{records.PrefixAddressBan, size, byte(first + 1)}
			if first == 255 {
				next = []byte{records.PrefixAddressBan, size + 1}
			}
			address := make([]byte, size)
			address[0] = byte(first)
			addr, _ := netip.AddrFromSlice(address)
			parts = append(parts, banPart{at, next, netip.PrefixFrom(addr, 8).String()})
			at = next
		}
	}
	return append(parts, banPart{at, end, "keys of no address"})
}
