package pebble

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// Format is the version of a store's layout: which keys exist and what they mean. It only
// rises, one named step at a time. (Each record has its own version, see package
// records.)
type Format uint32

// Names of the store's own entries.
const (
	metaFormat = "format"
	metaSecret = "secret"
)

// A step brings a store from the previous format to the next.
type step struct {
	name string
	do   func(m *migration) error
}

// formatSteps lists all steps; a store with all of them done has the newest
// format. Never change or remove one that was released.
func formatSteps() []step {
	return []step{
		{name: "make the secret", do: makeSecret},          // 1: accounts, login records, address bans
		{name: "allow character counts", do: markTheStore}, // 2: a part of account records, where flagged
		{name: "allow devices", do: markTheStore},          // 3: keys of devices
		{name: "keep a head", do: markTheStore},            // 4: see head.go; the file is made before the step
	}
}

// formatHead is the first format in which a store without a head has lost it.
const formatHead Format = 4

func formatError(at Format) error {
	return fmt.Errorf("%w: the store has format %d, this program knows up to %d", storage.ErrFormat, at, len(formatSteps()))
}

// migration is one step in progress. Its batch becomes durable together with the new
// format, or not at all.
type migration struct {
	db     *pebble.DB
	batch  *pebble.Batch
	random io.Reader
}

// migrate brings a store to the newest format. Called while opening.
func migrate(db *pebble.DB, f *failStop, steps []step, random io.Reader) error {
	at, err := readFormat(db)
	if err != nil {
		return err
	}
	if int(at) > len(steps) {
		return formatError(at)
	}
	for _, s := range steps[at:] {
		at++
		m := &migration{db: db, batch: db.NewBatch(), random: random}
		err := m.run(s, at)
		if err == nil {
			err = commit(m.batch, db, f)
		}
		if err = errors.Join(err, m.batch.Close()); err != nil {
			return fmt.Errorf("storage: step to format %d (%s): %w", at, s.name, err)
		}
	}
	return nil
}

func (m *migration) run(s step, to Format) error {
	if err := s.do(m); err != nil {
		return err
	}
	return m.batch.Set(records.MetaKey(metaFormat), order.AppendUint32(nil, uint32(to)), nil)
}

func makeSecret(m *migration) error {
	var secret [32]byte
	if _, err := io.ReadFull(m.random, secret[:]); err != nil {
		return err
	}
	return m.batch.Set(records.MetaKey(metaSecret), secret[:], nil)
}

// markTheStore changes only the format. Records stay as they are until they are written
// again. The number keeps out programs that would call the new records corrupt.
func markTheStore(*migration) error { return nil }

// readFormat is 0 for a store that was just made.
func readFormat(db *pebble.DB) (Format, error) {
	var raw [4]byte
	err := readMeta(db, metaFormat, raw[:])
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	return Format(order.Uint32(raw[:])), err
}

func readSecret(db *pebble.DB) (secret [32]byte, err error) {
	err = readMeta(db, metaSecret, secret[:])
	return secret, err
}

// readMeta reads an entry of a fixed size.
func readMeta(db *pebble.DB, what string, into []byte) error {
	v, closer, err := db.Get(records.MetaKey(what))
	if err != nil {
		return fmt.Errorf("storage: %s: %w", what, readError(err))
	}
	defer closer.Close()
	if len(v) != len(into) {
		return fmt.Errorf("%w: %s", storage.ErrCorrupt, what)
	}
	copy(into, v)
	return nil
}

// commit makes a batch durable.
func commit(b *pebble.Batch, db *pebble.DB, f *failStop) error {
	// A Sync that waits inside Pebble calls Fatalf when it fails.
	if err := db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	if err := b.SyncWait(); err != nil {
		return err
	}
	return f.failure()
}
