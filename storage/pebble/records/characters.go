package records

import "gatepass/storage"

// appendCharacters appends counts, of which there must be some, as they stand
// inside an account's record.
func appendCharacters(b []byte, counts []storage.WorldCount) []byte {
	b = append(b, byte(len(counts)))
	for _, c := range counts {
		b = append(b, c.World, c.Count)
	}
	return b
}

// characters reads what appendCharacters wrote.
func (d *decoder) characters() []storage.WorldCount {
	raw := d.take(2 * int(d.u8()))
	counts := make([]storage.WorldCount, 0, len(raw)/2)
	for ; len(raw) > 0; raw = raw[2:] {
		counts = append(counts, storage.WorldCount{World: raw[0], Count: raw[1]})
	}
	d.require(len(counts) > 0 && storage.ValidCharacters(counts))
	return counts
}
