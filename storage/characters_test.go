package storage_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatepass/storage"
)

// Whatever is noted, the counts are what a map would say.
func TestCharacters_AsAMapSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var counts []storage.WorldCount
		said := map[uint8]uint8{}
		for range rapid.IntRange(0, 40).Draw(t, "notes") {
			c := storage.WorldCount{World: rapid.Uint8Range(1, 9).Draw(t, "world"), Count: rapid.Uint8Range(0, 3).Draw(t, "count")}
			before := slices.Clone(counts)
			next, differs := storage.WithCount(counts, c)
			if !slices.Equal(before, counts) || differs != (said[c.World] != c.Count) {
				t.Fatalf("%v and %v: became %v, %v", before, c, counts, differs)
			}
			if said[c.World] = c.Count; c.Count == 0 {
				delete(said, c.World)
			}
			counts = next
		}
		var want []storage.WorldCount
		for _, world := range slices.Sorted(maps.Keys(said)) {
			want = append(want, storage.WorldCount{World: world, Count: said[world]})
		}
		if !slices.Equal(counts, want) || !storage.ValidCharacters(counts) {
			t.Fatalf("got %v, want %v", counts, want)
		}
	})
}
