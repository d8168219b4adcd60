package storage

import (
	"cmp"
	"slices"
)

// WorldCount is how many characters an account has on one world.
type WorldCount struct {
	// World is 1 … 255.
	World uint8
	// Count is at least 1: a world without characters is not kept.
	Count uint8
}

// validCharacters tells whether counts fit a record: worlds strictly rising, so
// there are at most 255, and nothing said of worlds that have none.
func validCharacters(counts []WorldCount) bool {
	last := uint8(0)
	for _, c := range counts {
		if c.World <= last || c.Count == 0 {
			return false
		}
		last = c.World
	}
	return true
}

// withCount is counts with that of one world replaced; 0 takes it out. It leaves
// counts alone, which may be the caller's of OpCreate, and reports whether there
// is a difference.
func withCount(counts []WorldCount, c WorldCount) (changed []WorldCount, differs bool) {
	i, there := slices.BinarySearchFunc(counts, c.World, func(have WorldCount, world uint8) int {
		return cmp.Compare(have.World, world)
	})
	switch {
	case !there && c.Count == 0, there && counts[i] == c:
		return counts, false
	case !there:
		return slices.Insert(slices.Clone(counts), i, c), true
	case c.Count == 0:
		return slices.Delete(slices.Clone(counts), i, i+1), true
	}
	changed = slices.Clone(counts)
	changed[i] = c
	return changed, true
}

// appendCharacters appends counts, of which there must be some, as they stand
// inside an account's record.
func appendCharacters(b []byte, counts []WorldCount) []byte {
	b = append(b, byte(len(counts)))
	for _, c := range counts {
		b = append(b, c.World, c.Count)
	}
	return b
}

// characters reads what appendCharacters wrote.
func (d *decoder) characters() []WorldCount {
	raw := d.take(2 * int(d.u8()))
	counts := make([]WorldCount, 0, len(raw)/2)
	for ; len(raw) > 0; raw = raw[2:] {
		counts = append(counts, WorldCount{World: raw[0], Count: raw[1]})
	}
	d.require(len(counts) > 0 && validCharacters(counts))
	return counts
}
