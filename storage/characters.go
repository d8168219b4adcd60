package storage

import (
	"cmp"
	"slices"
)

// WorldCount is the number of characters that an account has on one world.
type WorldCount struct {
	// World is 1 … 255.
	World uint8
	// Count is at least 1: a world without characters is not stored.
	Count uint8
}

// ValidCharacters reports whether counts can be stored: worlds strictly rising, so
// there are at most 255, and no count of zero.
func ValidCharacters(counts []WorldCount) bool {
	last := uint8(0)
	for _, c := range counts {
		if c.World <= last || c.Count == 0 {
			return false
		}
		last = c.World
	}
	return true
}

// WithCount returns counts with the count of one world replaced; a count of 0 removes
// the world. It does not change counts, which may belong to the caller of OpCreate.
// differs is false where counts already says so.
func WithCount(counts []WorldCount, c WorldCount) (changed []WorldCount, differs bool) {
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
