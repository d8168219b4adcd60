package admin

import (
	"errors"
	"fmt"
	"strings"

	"gatepass/patches"
)

// FindPatches looks patches up. Its error names each id that there is not, with the one
// that may be meant.
func FindPatches(c *patches.Catalogue, ids []string) ([]*patches.Patch, error) {
	var found []*patches.Patch
	var faults []error
	for _, id := range ids {
		p := c.Find(id)
		if p == nil {
			faults = append(faults, unknownPatch(c, id))
			continue
		}
		found = append(found, p)
	}
	return found, errors.Join(faults...)
}

// maxTypos is how many letters an id may differ in from the one that is suggested: builds
// of one game differ in two or three digits, and the suggestion may be typed after
// 'patch remove'.
const maxTypos = 2

func unknownPatch(c *patches.Catalogue, id string) error {
	best, least := "", maxTypos+1
	for i := range c.Patches {
		if d := distance(strings.ToLower(id), strings.ToLower(c.Patches[i].ID)); d < least {
			best, least = c.Patches[i].ID, d
		}
	}
	switch {
	case best != "":
		return fmt.Errorf("there is no patch %q, did you mean %s?", id, best)
	case len(c.Patches) == 0:
		return fmt.Errorf("there is no patch %q: the catalogue has none", id)
	}
	return fmt.Errorf("there is no patch %q; 'gatepass patch list' prints those that there are", id)
}

// distance is how many letters must be added, taken away or changed between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
