package pebble

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
	"github.com/cockroachdb/pebble/v2/sstable"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// Salvage reads what can be read of the store in o.Dir: each table and each log by itself,
// also after damaged parts. Of each record it takes the newest state that it finds, which
// is an older one if the newest is lost. It changes nothing in the folder and holds
// everything in memory. It returns what could not be read; the error is ErrNoStore,
// ErrLocked, or that of ctx, the disk or to.
func Salvage(ctx context.Context, o Options, to storage.Salvaged) (lost []storage.Fault, err error) {
	offline, err := openOffline(o)
	if err != nil {
		return nil, err
	}
	defer offline.lock.Close()
	s := &salvage{ctx: ctx, survey: offline.survey, newest: map[string]finding{}}
	s.lost = append(s.lost, offline.survey.faults...)
	for _, f := range s.survey.files {
		if err := ctx.Err(); err != nil {
			return s.lost, err
		}
		if err := s.file(f); err != nil {
			return s.lost, err
		}
	}
	return s.lost, s.hand(to)
}

// salvage is one Salvage in progress.
type salvage struct {
	ctx    context.Context
	survey *survey
	newest map[string]finding // by key
	lost   []storage.Fault
}

// finding is the newest state found under a key.
type finding struct {
	sequence, file uint64 // of equal sequence numbers the newer file wins
	deleted        bool
	value          []byte
}

// file reads a table or a log. Only a disk that cannot be read is an error.
func (s *salvage) file(f storeFile) error {
	switch f.kind {
	case kindTable:
		if m := s.survey.manifest; m != nil && m.known[f.number] && !m.has(f.number) {
			return nil // its records are in newer tables, except deleted ones
		}
		s.table(f)
	case kindLog:
		raw, err := readFile(s.survey.disk, s.survey.path(f.name))
		if err != nil {
			return err
		}
		s.log(f, raw)
	}
	return nil
}

func (s *salvage) lose(file, format string, args ...any) {
	s.lost = append(s.lost, storage.Fault{File: file, Problem: fmt.Sprintf(format, args...)})
}

// note stores an entry if it is the newest so far.
func (s *salvage) note(file uint64, k pebble.InternalKey, value []byte) {
	f := finding{sequence: uint64(k.SeqNum()), file: file}
	switch k.Kind() {
	case pebble.InternalKeyKindSet, pebble.InternalKeyKindSetWithDelete:
		f.value = slices.Clone(value)
	case pebble.InternalKeyKindDelete, pebble.InternalKeyKindSingleDelete, pebble.InternalKeyKindDeleteSized:
		f.deleted = true
	default:
		return
	}
	old, there := s.newest[string(k.UserKey)]
	if !there || old.sequence < f.sequence || old.sequence == f.sequence && old.file < f.file {
		s.newest[string(k.UserKey)] = f
	}
}

// table reads a table and continues after blocks that cannot be read.
func (s *salvage) table(f storeFile) {
	reader := newTableReader(s.survey.options)
	err := reader.with(s.survey.path(f.name), func(r *sstable.Reader) error {
		it, err := r.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
		if err != nil {
			return err
		}
		defer it.Close()
		var last []byte
		kv := it.First()
		for {
			for ; kv != nil; kv = it.Next() {
				value, _, err := kv.Value(nil)
				if err == nil {
					s.note(f.number, kv.K, value)
				}
				last = append(last[:0], kv.K.UserKey...)
			}
			err := it.Error()
			if err == nil {
				return nil
			}
			s.lose(f.name, "a part behind the record %q cannot be read (%v)", last, err)
			next := nextReadable(last, func(key []byte) bool { return it.SeekGE(key, 0) != nil })
			if next == nil {
				return nil
			}
			kv = it.SeekGE(next, 0)
		}
	})
	if err != nil {
		s.lose(f.name, "nothing of it can be read: %v", err)
	}
}

// log reads the records of a log and continues after parts that cannot be read.
func (s *salvage) log(f storeFile, raw []byte) {
	number, end := uint32(f.number), uint64(0)
	var batch []byte
	whole := false // batch is the beginning of a record
	for at := 0; at < len(raw) && !ends(raw, at, number); {
		c, ok := chunkAt(raw, at, number)
		if !ok {
			at, whole = at+1, false
			continue
		}
		if c.begins {
			batch, whole = batch[:0], true
		}
		batch = append(batch, c.payload...)
		if c.finishes && whole {
			end = s.batch(f, batch, end)
		}
		at, whole = c.end, whole && !c.finishes
	}
}

// batch notes the changes of one record of a log. If the record does not start at the
// expected sequence number, it reports the changes between as missing. It returns the
// sequence number after the record.
func (s *salvage) batch(f storeFile, repr []byte, expected uint64) (end uint64) {
	h, ok := batchrepr.ReadHeader(repr)
	if !ok {
		s.lose(f.name, "a record of it makes no sense")
		return expected
	}
	if expected != 0 && uint64(h.SeqNum) != expected {
		s.lose(f.name, "changes %d to %d of the store are missing", expected, uint64(h.SeqNum)-1)
	}
	r := batchrepr.Read(repr)
	for sequence := h.SeqNum; ; {
		kind, key, value, ok, err := r.Next()
		if err != nil {
			s.lose(f.name, "a record of it makes no sense: %v", err)
		}
		if !ok || err != nil {
			return uint64(h.SeqNum) + uint64(h.Count)
		}
		if kind != pebble.InternalKeyKindLogData {
			s.note(f.number, pebble.MakeInternalKey(key, sequence, kind), value)
			sequence++
		}
	}
}

// hand assembles the accounts from their records and passes everything to to.
func (s *salvage) hand(to storage.Salvaged) error {
	logins, devices := map[storage.Name]storage.LoginRecord{}, map[storage.Name][]storage.Device{}
	var accounts []*storage.Account
	var bans []*storage.AddressBan
	for _, key := range slices.Sorted(maps.Keys(s.newest)) {
		f := s.newest[key]
		if f.deleted {
			continue
		}
		r := &records.Entry{Key: []byte(key), Value: f.value}
		if err := r.Parse(); err != nil {
			s.lose(fmt.Sprintf("record %q", key), "%v", err)
			continue
		}
		switch r.Kind() {
		case records.PrefixAccount:
			accounts = append(accounts, &r.Account)
		case records.PrefixLogin:
			logins[r.Name] = r.Login
		case records.PrefixDevice:
			devices[r.Name] = append(devices[r.Name], r.Device)
		case records.PrefixAddressBan:
			bans = append(bans, &r.Ban)
		}
	}
	for _, a := range accounts {
		a.Login = logins[a.Name]
		if err := to.Account(a, devices[a.Name]); err != nil {
			return err
		}
	}
	for _, b := range bans {
		if err := to.AddressBan(b); err != nil {
			return err
		}
	}
	return s.ctx.Err()
}

// nextReadable returns a key after last from which a table can be read again, nil if there
// is none. readable reports whether the table can be read from a key on. Keys are treated
// as fractions: the space after last is tried in steps, then the step in which the table
// becomes readable is bisected, so that few readable records are skipped.
func nextReadable(last []byte, readable func(key []byte) bool) []byte {
	low, end := fraction(last), fraction([]byte{records.PrefixMeta + 1})
	step := new(big.Int).Sub(end, low)
	step.Rsh(step, seekStepBits)
	high := new(big.Int).Set(low)
	for {
		if high.Add(high, step); high.Cmp(end) >= 0 || step.Sign() <= 0 {
			return nil
		}
		if readable(high.FillBytes(make([]byte, seekBytes))) {
			break
		}
		low.Set(high)
	}
	for range 8 * seekBytes {
		middle := new(big.Int).Add(low, high)
		if middle.Rsh(middle, 1); middle.Cmp(low) == 0 {
			break
		}
		if readable(middle.FillBytes(make([]byte, seekBytes))) {
			high = middle
		} else {
			low = middle
		}
	}
	return high.FillBytes(make([]byte, seekBytes))
}

const (
	// seekBytes is how much of a key is compared: more than the longest key.
	seekBytes = records.MaxKey + 6
	// seekStepBits: a step is the space after a key, halved this many times.
	seekStepBits = 12
)

// fraction returns a key as a number.
func fraction(key []byte) *big.Int {
	padded := make([]byte, seekBytes)
	copy(padded, key)
	return new(big.Int).SetBytes(padded)
}
