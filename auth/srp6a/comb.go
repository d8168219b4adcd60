package srp6a

import "filippo.io/bigmod"

const (
	// places is the number of 4-bit digits of the widest exponent, 32 bytes.
	places = 64
	// digits is the number of values of one digit.
	digits = 16
)

// comb has g^(d * 16^i) for every place i of a 32-byte exponent and every digit d. So g^e is a
// product of one entry for each place, without squarings. That takes 63 of bigmod's
// multiplications, with two Montgomery products each, while bigmod's Exp takes 334 products.
// It is 256 KiB for a group of 2048 bits, and only read once made.
type comb struct {
	modulus *bigmod.Modulus
	width   int    // of an entry, in words
	entries []uint // place by place, digit by digit
}

func newComb(g *bigmod.Nat, m *bigmod.Modulus) *comb {
	width := len(g.Bits())
	c := &comb{modulus: m, width: width, entries: make([]uint, 0, places*digits*width)}
	base := bigmod.NewNat().Mod(g, m)
	for range places {
		z := bigmod.NewNat().SetUint(1).ExpandFor(m)
		for range digits {
			c.entries = append(c.entries, z.Bits()...)
			z.Mul(base, m)
		}
		base = z // base^16
	}
	return c
}

// raise returns g^exponent for a secret exponent of at most 32 bytes, big-endian. Its
// operations depend only on the exponent's length.
func (c *comb) raise(exponent []byte) *bigmod.Nat {
	z := bigmod.NewNat().SetUint(1).ExpandFor(c.modulus)
	entry := bigmod.NewNat().ExpandFor(c.modulus)
	for i := range exponent {
		b := exponent[len(exponent)-1-i]
		for half, digit := range [2]byte{b & 15, b >> 4} {
			place := 2*i + half
			if place == 0 {
				c.load(z.Bits(), place, digit)
				continue
			}
			c.load(entry.Bits(), place, digit)
			z.Mul(entry, c.modulus)
		}
	}
	clear(entry.Bits())
	return z
}

// load sets z to the entry for a place and digit. It reads all entries of the place, so
// neither the time nor the cache reveals the digit.
func (c *comb) load(z []uint, place int, digit byte) {
	clear(z)
	row := c.entries[place*digits*c.width:][:digits*c.width]
	for d := range digits {
		entry := row[d*c.width:][:len(z)]
		mask := -((uint(d^int(digit)) - 1) >> (bitsInWord - 1))
		for j := range z {
			z[j] |= mask & entry[j]
		}
	}
}

// bitsInWord is 32 or 64.
const bitsInWord = 32 << (^uint(0) >> 63)
