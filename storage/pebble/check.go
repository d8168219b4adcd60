package pebble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// Check reads the whole store in o.Dir: each block of each table and each record of each
// log with its checksum, and each key with its record and the records that belong to it.
// It changes nothing. The error is ErrNoStore, ErrLocked, that of ctx, or that of
// a disk that cannot be read; damage is in the report.
func Check(ctx context.Context, o Options) (*storage.CheckReport, error) {
	offline, err := openOffline(o)
	if err != nil {
		return nil, err
	}
	defer offline.lock.Close()
	s := offline.survey
	c := &checker{ctx: ctx, survey: s, report: &storage.CheckReport{Faults: []storage.Fault{}}}
	err = c.files()
	if err == nil && len(s.faults) == 0 {
		err = c.records(offline.lock)
	}
	c.report.Faults = append(c.report.Faults, s.faults...)
	return c.report, err
}

// offlineStore is a store that no server has open, with its survey.
type offlineStore struct {
	lock   *pebble.Lock
	survey *survey
}

// openOffline locks a folder for reading and surveys it.
func openOffline(o Options) (*offlineStore, error) {
	o.ReadOnly = true
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if _, err := o.FS.Stat(o.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", storage.ErrNoStore, o.Dir)
	}
	o.FS = readOnlyFS{o.FS}
	lock, err := pebble.LockDirectory(o.Dir, newFailStop(o.FS))
	if err != nil {
		return nil, err
	}
	s, err := look(&o)
	if err == nil && len(s.faults) == 0 && s.isNew() {
		err = fmt.Errorf("%w: %s", storage.ErrNoStore, o.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &offlineStore{lock, s}, nil
}

// checker is one Check in progress.
type checker struct {
	ctx    context.Context
	survey *survey
	report *storage.CheckReport
}

// files reads each table in use to its end; the survey has read the logs.
func (c *checker) files() error {
	s := c.survey
	reader := newTableReader(s.options)
	for _, f := range s.files {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		info, err := s.disk.Stat(s.path(f.name))
		if err != nil {
			return err
		}
		switch f.kind {
		case kindLog:
			c.report.Logs++
		case kindTable:
			if s.manifest != nil && s.manifest.known[f.number] && !s.manifest.has(f.number) {
				continue // a crash prevented its deletion
			}
			c.report.Tables++
			if err := reader.with(s.path(f.name), verifyTable); err != nil {
				s.fault(f.name, err)
			}
		default:
			continue
		}
		c.report.Bytes += info.Size()
	}
	return nil
}

// has reports whether a table is in use.
func (m *manifest) has(number uint64) bool {
	for id := range m.tables {
		if id.number == number {
			return true
		}
	}
	return m.backings[number]
}

// verifyTable checks each block of a table and reads each of its entries.
func verifyTable(r *sstable.Reader) error {
	if err := r.ValidateBlockChecksums(); err != nil {
		return err
	}
	it, err := r.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
	if err != nil {
		return err
	}
	defer it.Close() // repeats the error of Error
	for kv := it.First(); kv != nil; kv = it.Next() {
	}
	return it.Error()
}

// records reads each key and its record, looks each account up as a login does, and
// counts.
func (c *checker) records(lock *pebble.Lock) (err error) {
	o := c.survey.options
	f := newFailStop(o.FS)
	db, err := openDB(o, f, lock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	at, err := readFormat(db)
	c.report.Format = uint32(at)
	if err != nil {
		return err
	}
	if !c.survey.hasHead && at >= formatHead {
		c.survey.fault(headFile, errMissing)
	}
	v := &view{db: db}
	return v.scan(nil, nil, func(key, value []byte) error {
		if problem := c.record(v, key, value); problem != nil {
			c.survey.fault(fmt.Sprintf("record %q", key), problem)
		}
		return c.ctx.Err()
	})
}

var errOwner = errors.New("it belongs to an account that is not there")

// record checks one record and counts it.
func (c *checker) record(v *view, key, value []byte) error {
	r := &records.Entry{Key: key, Value: value}
	if err := r.Parse(); err != nil {
		return err
	}
	owner := r.Name
	switch r.Kind() {
	case records.PrefixAccount:
		c.report.Accounts++
		return v.mustHave(v.key.Account(&owner))
	case records.PrefixLogin:
		// A login during the deletion of an account may leave one.
		c.report.Logins++
	case records.PrefixDevice:
		c.report.Devices++
		if there, err := v.has(v.key.Account(&owner)); err != nil || !there {
			return errors.Join(errOwner, err)
		}
	case records.PrefixAddressBan:
		c.report.AddressBans++
	}
	return nil
}

var errLookup = errors.New("it is there, and is not found when it is looked for")

// mustHave returns errLookup if a key that a scan has returned is not found.
func (v *view) mustHave(key []byte) error {
	there, err := v.has(key)
	if err == nil && !there {
		return errLookup
	}
	return err
}

// RenewHead makes a new head for a store if only the head is missing or damaged. Any
// other damage is a DamageError, and nothing is changed. Without the old head nobody can
// tell whether the last changes are missing.
func RenewHead(o Options) (err error) {
	o.EnsureDefaults()
	f := newFailStop(o.FS)
	lock, err := pebble.LockDirectory(o.Dir, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	s, err := look(&o)
	if err != nil {
		return err
	}
	for _, fault := range s.faults {
		if fault.File != headFile {
			return s.damage()
		}
	}
	if s.isNew() {
		return fmt.Errorf("%w: %s", storage.ErrNoStore, o.Dir)
	}
	if !s.strict {
		return nil
	}
	return createHead(o.FS, o.Dir, head{state: stateOpen, generation: 1, current: s.current})
}
