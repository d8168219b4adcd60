package accounts

import (
	"fmt"
	"strings"

	"gatepass/storage"
)

// ByteOrder is how the salts and verifiers of a file are written.
type ByteOrder uint8

const (
	// OrderUsual: as the names of the columns say. salt and verifier are bytes in the
	// order of the wire, s and v are numbers, highest digit first. A file that
	// contradicts this is refused.
	OrderUsual ByteOrder = iota
	// OrderReversed: the other way round.
	OrderReversed
	// OrderAsNamed is OrderUsual without a look at whether it can be true.
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

// pairSeen is what one pair says of its byte order.
type pairSeen uint8

const (
	// pairThere: the row has a pair that is not zero.
	pairThere pairSeen = 1 << iota
	// pairFits and pairFitsReversed: a password can have this verifier.
	pairFits
	pairFitsReversed
	// saltMangos and saltMangosReversed: the salt is one that mangos makes, with its
	// highest and its lowest bit set.
	saltMangos
	saltMangosReversed
)

// parsePair reads a pair, as numbers (highest digit first) or as bytes of the wire,
// and looks at how it would be the other way round.
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

// decodeBytes reads 32 bytes in wire order: 64 hex digits, or the bytes themselves.
func decodeBytes(dst *[32]byte, text string) bool {
	if len(text) == len(dst) && strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		copy(dst[:], text)
		return true
	}
	return decodeFixed(dst[:], text)
}

// orderCounts is what the pairs of a file say together.
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

// shapeEnough is how many salts tell by their shape alone: one in four looks like one
// of mangos the other way round by chance.
const shapeEnough = 8

// fault says that the verifiers are in another byte order than the file's columns
// mean. A verifier is below the modulus, whose highest byte is 0x89: the other way
// round every second one is not. Read like that, an account would be stored and
// nobody could log in to it.
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
