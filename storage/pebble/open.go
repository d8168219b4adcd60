package pebble

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

// Open opens the store in o.Dir, or creates one. Before it changes anything in the folder
// it checks that everything acknowledged is there. Errors are ErrLocked, ErrFormat, a
// DamageError, ErrNoStore if o.ReadOnly is set and there is none, or that of the disk.
func Open(o Options) (*Store, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	open := openForWriting
	if o.ReadOnly {
		if _, err := o.FS.Stat(o.Dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", storage.ErrNoStore, o.Dir)
		}
		o.FS = readOnlyFS{o.FS}
		open = openForReading
	} else if err := makeDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("storage: %s: %w", o.Dir, err)
	}
	f := newFailStop(o.FS)
	lock, err := pebble.LockDirectory(o.Dir, f)
	if err != nil {
		return nil, err
	}
	p, err := open(&o, f, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return p, nil
}

// OpenClient opens a store and a Client to it. If o.Deliver is set, the results of
// requests submitted to the Client's Store go there.
func OpenClient(o Options) (*storage.Client, error) {
	return storage.NewClient(o.Deliver, func(deliver func([]storage.Result)) (storage.Store, error) {
		o.Deliver = deliver
		return Open(o)
	})
}

// openForReading opens an existing store and changes nothing in its folder.
func openForReading(o *Options, f *failStop, lock *pebble.Lock) (*Store, error) {
	s, err := look(o)
	if err == nil {
		err = s.damage()
	}
	if err != nil {
		return nil, err
	}
	if s.isNew() {
		return nil, fmt.Errorf("%w: %s", storage.ErrNoStore, o.Dir)
	}
	db, err := openDB(o, f, lock)
	if err != nil {
		return nil, err
	}
	secret, err := s.known(db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p := &Store{options: o, db: db, failStop: f, lock: lock, secret: secret, closing: make(chan struct{})}
	p.reader = startReader(p.db, o)
	return p, nil
}

// known returns the store's secret if this program knows the store's format. It reads a
// store of an earlier format as it is.
func (s *survey) known(db *pebble.DB) (secret [32]byte, err error) {
	at, err := readFormat(db)
	switch {
	case err != nil:
		return secret, err
	case int(at) > len(formatSteps()):
		return secret, formatError(at)
	case at == 0:
		return secret, fmt.Errorf("%w: %s", storage.ErrNoStore, s.dir)
	case !s.hasHead && at >= formatHead:
		return secret, s.headless()
	}
	return readSecret(db)
}

// headless returns the damage of a store whose head is missing.
func (s *survey) headless() error {
	s.fault(headFile, errMissing)
	return s.damage()
}

// openForWriting opens a store, or makes one.
func openForWriting(o *Options, f *failStop, lock *pebble.Lock) (*Store, error) {
	s, err := look(o)
	if err == nil {
		err = s.damage()
	}
	if err != nil {
		return nil, err
	}
	f.keeper = newHeadKeeper(o.FS, o.Dir)
	if err := s.takeHead(f.keeper, lock); err != nil {
		return nil, errors.Join(err, f.keeper.close())
	}
	db, err := openDB(o, f, lock)
	if err != nil {
		return nil, errors.Join(err, f.keeper.close())
	}
	secret, err := prepare(db, f, o)
	if err == nil && s.isNew() {
		err = f.keeper.become(stateOpen)
	}
	if err != nil {
		f.release()
		return nil, errors.Join(err, db.Close(), f.keeper.close())
	}
	p := &Store{options: o, db: db, failStop: f, lock: lock, secret: secret, closing: make(chan struct{})}
	p.reader = startReader(p.db, o)
	p.writer = startWriter(p.db, f, o)
	p.watched.Go(func() { p.watch(o.OnFatal) })
	return p, nil
}

// takeHead opens the head for writing. A new store gets a head before anything else, which
// tells a store whose creation was interrupted from one that lost files. A store of an
// earlier format gets a head that describes what the survey found.
func (s *survey) takeHead(k *headKeeper, lock *pebble.Lock) error {
	h := s.head
	switch {
	case s.isNew():
		h.state = stateCreating
	case !s.hasHead:
		at, err := formatOf(s.options, lock)
		if err != nil {
			return err
		}
		if at >= formatHead {
			return s.headless()
		}
		h = head{state: stateOpen, current: s.current}
	default:
		h.state = stateOpen
	}
	if !s.hasHead {
		h.generation++
		if err := createHead(s.disk, s.dir, h); err != nil {
			return err
		}
	}
	return k.open(h)
}

// formatOf reads the format of a store without a head. It changes nothing.
func formatOf(o *Options, lock *pebble.Lock) (Format, error) {
	r := *o
	r.ReadOnly, r.FS = true, readOnlyFS{o.FS}
	db, err := openDB(&r, newFailStop(r.FS), lock)
	if err != nil {
		return 0, err
	}
	at, err := readFormat(db)
	return at, errors.Join(err, db.Close())
}

// openDB opens Pebble. From then on tables get the failStop's error.
func openDB(o *Options, f *failStop, lock *pebble.Lock) (*pebble.DB, error) {
	defer f.opening.Store(false)
	options := pebbleOptions(o, f)
	options.Lock = lock
	db, err := pebble.Open(o.Dir, options)
	if cause := f.failure(); cause != nil && err == nil {
		f.release()
		err = errors.Join(cause, db.Close())
	} else if cause != nil {
		err = cause // Pebble's error only follows from it
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %s: %w", o.Dir, err)
	}
	return db, nil
}

// prepare brings an opened database to the newest format.
func prepare(db *pebble.DB, f *failStop, o *Options) (secret [32]byte, err error) {
	if err := migrate(db, f, formatSteps(), o.Random); err != nil {
		return secret, err
	}
	return readSecret(db)
}

// makeDir creates a folder durably, for its owner only.
func makeDir(disk vfs.FS, dir string) error {
	if _, err := disk.Stat(dir); err == nil {
		return nil
	}
	parent := disk.PathDir(dir)
	if parent != dir {
		if err := makeDir(disk, parent); err != nil {
			return err
		}
	}
	if err := disk.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(disk, parent)
}
