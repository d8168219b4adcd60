package accounts

import (
	"fmt"
	"strings"

	"gatepass/storage"
)

// ByteOrder is the byte order of the salts and verifiers of a file.
type ByteOrder uint8

const (
	// OrderUsual: the order that the column names imply. salt and verifier are bytes in
	// wire order; s and v are numbers, most significant digit first. A file that
	// contradicts this is refused.
	OrderUsual ByteOrder = iota
	// OrderReversed: the opposite order.
	OrderReversed
	// OrderAsNamed is OrderUsual without the check for a contradiction.
	OrderAsNamed
)

// ParseByteOrder reads a --byte-order flag. Its error is a FieldError.
func ParseByteOrder(word string) (ByteOrder, error) {
	switch strings.ToLower(word) {
	case "auto", "":
		return OrderUsual, nil
	case "reversed":
		return OrderReversed, nil
	case "usual":
		return OrderAsNamed, nil
	}
	return 0, &FieldError{Field: "byte-order", Problem: fmt.Sprintf("%q is not known; give auto, usual or reversed", word)}
}

// pair is a salt and a verifier as text, with the names of their columns.
type pair struct{ salt, verifier, saltName, verifierName string }

// pairSeen is the evidence of one pair for its byte order.
type pairSeen uint8

const (
	// pairThere: the row has a pair that is not zero.
	pairThere pairSeen = 1 << iota
	// pairFits and pairFitsReversed: the verifier is possible in this order.
	pairFits
	pairFitsReversed
	// saltMangos and saltMangosReversed: the salt can be one of mangos in this order:
	// its highest and its lowest bit are set.
	saltMangos
	saltMangosReversed
)

// parsePair parses a pair as numbers (most significant digit first) or as bytes in wire
// order. It also records whether the opposite order is possible.
func parsePair(p pair, numbers bool) (storage.GruntVerifier, pairSeen, error) {
	g, err := p.decode(numbers)
	other, otherErr := p.decode(!numbers)
	seen := pairThere
	switch {
	case err == nil && g.Verifier == [32]byte{}:
		return g, 0, errWeak
	case err == nil && weak(&g):
		err = errWeak
	case err == nil:
		seen |= pairFits | shape(&g.Salt, saltMangos, saltMangosReversed)
	}
	if otherErr == nil && !weak(&other) {
		seen |= pairFitsReversed
	}
	return g, seen, err
}

func shape(salt *[32]byte, usual, reversed pairSeen) (seen pairSeen) {
	if salt[31]&0x80 != 0 && salt[0]&1 != 0 {
		seen |= usual
	}
	if salt[0]&0x80 != 0 && salt[31]&1 != 0 {
		seen |= reversed
	}
	return seen
}

func (p *pair) decode(numbers bool) (storage.GruntVerifier, error) {
	g := storage.GruntVerifier{Set: true}
	read, want := decodeBytes, "is not 32 bytes as 64 hex digits"
	if numbers {
		read, want = decodeNumber, "is not a hex number of at most 64 digits"
	}
	if !read(&g.Salt, p.salt) {
		return g, &FieldError{Field: p.saltName, Problem: want, cause: errSaltHex}
	}
	if !read(&g.Verifier, p.verifier) {
		return g, &FieldError{Field: p.verifierName, Problem: want, cause: errVerifierHex}
	}
	return g, nil
}

// decodeBytes reads 32 bytes in wire order: 64 hex digits or the raw bytes.
func decodeBytes(dst *[32]byte, text string) bool {
	if len(text) == len(dst) && strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		copy(dst[:], text)
		return true
	}
	return decodeFixed(dst[:], text)
}

// orderCounts sums the evidence of all pairs of a file.
type orderCounts struct {
	pairs, fit, fitReversed, shaped, shapedReversed int
}

func (c *orderCounts) add(seen pairSeen) {
	for bit, n := range map[pairSeen]*int{
		pairThere: &c.pairs, pairFits: &c.fit, pairFitsReversed: &c.fitReversed, saltMangos: &c.shaped, saltMangosReversed: &c.shapedReversed,
	} {
		if seen&bit != 0 {
			*n++
		}
	}
}

// shapeEnough is how many salts are enough to decide by their shape alone. One random
// salt in four has the shape of a reversed mangos salt.
const shapeEnough = 8

// fault returns an error if the verifiers are in another byte order than the file's
// columns imply. Every verifier is below the modulus, whose highest byte is 0x89. In
// the wrong order, about every second verifier is above it. An account stored in the
// wrong order could never log in.
func (c *orderCounts) fault(o ByteOrder) error {
	flag := "reversed"
	if o == OrderReversed {
		flag = "usual"
	}
	unfit := c.pairs - c.fit
	switch {
	case c.pairs == 0 || o == OrderAsNamed:
		return nil
	case unfit > 0 && c.fitReversed == c.pairs:
		return fmt.Errorf("salt and verifier are in the wrong byte order: %d of %d verifiers cannot be as they are, and all can the other way round; give --byte-order %s", unfit, c.pairs, flag)
	case c.pairs >= shapeEnough && c.fitReversed == c.pairs && c.shapedReversed == c.pairs && c.shaped < c.pairs:
		return fmt.Errorf("salt and verifier are in the wrong byte order: all %d salts are ones of mangos the other way round; give --byte-order %s (or usual, to have them as they are)", c.pairs, flag)
	case o == OrderUsual && unfit > 1 && unfit*20 > c.pairs:
		return fmt.Errorf("%d of %d verifiers cannot be, in neither byte order: the file mixes byte orders or is damaged, and no row of it can be trusted; export it again (--byte-order usual takes what can be)", unfit, c.pairs)
	}
	return nil
}
