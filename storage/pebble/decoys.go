package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// maxSaltSample bounds the accounts that one OpSampleSalts reads: enough for an error of
// a few in a hundred, and few enough to take some milliseconds.
const maxSaltSample = 2048

// maxDamagedSeeks is how many damaged blocks end a sample. Each costs some 10 ms, since
// Pebble searches for the bit that has flipped.
const maxDamagedSeeks = 16

// metaDecoys is the key of the Decoys.
const metaDecoys = "decoys"

// decoys reads what OpSetDecoys wrote.
func (v *view) decoys() (d *storage.Decoys, err error) {
	d = new(storage.Decoys)
	if err := v.get(records.MetaKey(metaDecoys), func(b []byte) error { return records.ParseDecoys(b, d) }); err != nil {
		return nil, err
	}
	return d, nil
}

func (b *builder) setDecoys(op *storage.Op) error {
	b.record = records.AppendDecoys(b.record[:0], op.Decoys)
	return b.group.batch.Set(records.MetaKey(metaDecoys), b.record, nil)
}

// sampleSalts examines up to maxSaltSample accounts: all of them if there are no more,
// otherwise some that are spread over all names. It takes the same ones each time, so two
// stores with the same accounts give the same answer. It skips damaged records.
func (v *view) sampleSalts() (storage.SaltShape, error) {
	s := saltSample{view: v}
	lower, upper := records.Bounds(records.PrefixAccount)
	it, err := v.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return storage.SaltShape{}, readError(err)
	}
	more := it.First()
	for ; more && s.looked <= maxSaltSample; more = it.Next() {
		s.look(it.Key())
	}
	if more || it.Error() != nil { // accounts may follow a damaged block
		s = saltSample{view: v}
		s.spread(it)
	}
	if err := readError(it.Close()); err != nil && !errors.Is(err, storage.ErrUnreadable) {
		return storage.SaltShape{}, err
	}
	return s.salts.Shape(), nil
}

// place is a name as a number of 128 bits.
type place struct{ high, low uint64 }

func placeOf(key []byte) place {
	var b [16]byte
	copy(b[:], key[1:]) // behind the prefix
	return place{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (p place) less(q place) bool { return p.high < q.high || p.high == q.high && p.low < q.low }

// middle is halfway between p and q.
func (p place) middle(q place) place {
	low, carry := bits.Add64(p.low, q.low, 0)
	high, carry := bits.Add64(p.high, q.high, carry)
	return place{carry<<63 | high>>1, high<<63 | low>>1}
}

// next is the place behind p.
func (p place) next() place {
	low, carry := bits.Add64(p.low, 1, 0)
	return place{p.high + carry, low}
}

// key is the key of the account whose name is p.
func (p place) key() []byte {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{records.PrefixAccount}, p.high), p.low)
	return bytes.TrimRight(b, "\x00")
}

// spread examines accounts over all names: one near the middle of all names, then one
// near the middle of each half, and so on. It drops halves without accounts.
func (s *saltSample) spread(it *pebble.Iterator) {
	first, end := place{}, place{math.MaxUint64, math.MaxUint64}
	if it.First() {
		first = placeOf(it.Key())
	}
	if it.Last() {
		end = placeOf(it.Key()).next()
	}
	halves := [][2]place{{first, end}} // from the first place to before the second
	damaged := 0
	for seeks := 0; len(halves) > 0 && s.looked < maxSaltSample && seeks < 4*maxSaltSample && damaged < maxDamagedSeeks; seeks++ {
		from, to := halves[0][0], halves[0][1]
		halves = halves[1:]
		at := from.middle(to)
		if at != from {
			halves = append(halves, [2]place{from, at})
		}
		if !it.SeekGE(at.key()) {
			if it.Error() != nil {
				damaged++
				if after := at.next(); after.less(to) {
					halves = append(halves, [2]place{after, to})
				}
			}
			continue
		}
		if found := placeOf(it.Key()); found.less(to) {
			s.look(it.Key())
			if after := found.next(); after.less(to) {
				halves = append(halves, [2]place{after, to})
			}
		}
	}
}

// saltSample examines the salts of some accounts.
type saltSample struct {
	view   *view
	looked int
	salts  storage.SaltCount
}

func (s *saltSample) look(key []byte) {
	s.looked++
	n, err := records.NameOf(key)
	if err != nil {
		return
	}
	if a, err := s.view.account(n, true); err == nil {
		s.salts.Add(&a.Grunt)
	}
}
