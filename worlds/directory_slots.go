package worlds

import "gatepass/codec"

const (
	// chunkSlots is how many slots are allocated together: 128 KiB. Growth never copies
	// existing slots.
	chunkSlots = 4096
	// sweepSlots is how many slots one sweep visits, about 10 µs.
	sweepSlots = 2048
)

// slot is the entry of one account.
type slot struct {
	account codec.Name
	stamp   Stamp
	// hop of the key, or the number of the next free slot while life is noLife.
	hop    uint32
	life   uint16
	ending bool
}

// slots are the entries of a Directory. A slot does not move while its account is
// known.
type slots struct {
	// index maps each account to the number of its slot. Numbers are not pointers, so
	// the garbage collector does not scan the map.
	index  map[codec.Name]uint32
	chunks [][]slot
	// free is the number of the first free slot plus one, or 0 if there is none.
	free uint32
	// swept is the number of the slot that the next sweep visits first.
	swept uint32
}

func newSlots() slots { return slots{index: make(map[codec.Name]uint32)} }

func (t *slots) len() int { return len(t.index) }

func (t *slots) at(i uint32) *slot { return &t.chunks[i/chunkSlots][i%chunkSlots] }

// find returns an account's slot, or nil.
func (t *slots) find(account codec.Name) *slot {
	if i, ok := t.index[account]; ok {
		return t.at(i)
	}
	return nil
}

// add returns a new slot for an account that has none. Its life is noLife.
func (t *slots) add(account codec.Name) *slot {
	if t.free == 0 {
		t.grow()
	}
	i := t.free - 1
	s := t.at(i)
	t.free = s.hop
	*s = slot{account: account}
	t.index[account] = i
	return s
}

// grow adds a chunk of free slots.
func (t *slots) grow() {
	first := uint32(len(t.chunks) * chunkSlots)
	chunk := make([]slot, chunkSlots)
	for i := range chunk[:chunkSlots-1] {
		chunk[i].hop = first + uint32(i) + 2
	}
	t.chunks = append(t.chunks, chunk)
	t.free = first + 1
}

// remove frees a slot.
func (t *slots) remove(s *slot) {
	i := t.index[s.account]
	delete(t.index, s.account)
	*s = slot{hop: t.free}
	t.free = i + 1
}

// sweep calls f for each used slot among the next slots. f may remove the slot.
func (t *slots) sweep(f func(s *slot)) {
	all := uint32(len(t.chunks) * chunkSlots)
	for range min(sweepSlots, all) {
		if t.swept >= all {
			t.swept = 0
		}
		if s := t.at(t.swept); s.life != noLife {
			f(s)
		}
		t.swept++
	}
}
