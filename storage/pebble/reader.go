package pebble

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

const (
	// readBatch bounds the reads a worker takes at once, so that one slow disk block
	// delays few of them if there are several workers.
	readBatch = 64
)

// reader answers reads, with a few workers on one queue.
type reader struct {
	queue   *queue
	deliver func([]storage.Result)
	done    atomic.Uint64
	workers sync.WaitGroup
}

func startReader(db *pebble.DB, o *Options) *reader {
	r := &reader{queue: newQueue(o.QueueLimit, 1), deliver: o.Deliver}
	for range o.ReadWorkers {
		r.workers.Go(func() { r.work(&view{db: db}) })
	}
	return r
}

// work is one worker's goroutine.
func (r *reader) work(v *view) {
	ops := make([]storage.Op, 0, readBatch)
	results := make([]storage.Result, 0, readBatch)
	for {
		var open bool
		if ops, open = r.queue.take(ops[:0], readBatch); !open {
			return
		}
		if len(ops) == 0 {
			continue
		}
		for i := range ops {
			results = append(results, v.answer(&ops[i]))
		}
		r.done.Add(uint64(len(ops)))
		r.deliver(results)
		r.queue.answered(len(ops))
		clear(ops)
		clear(results[:cap(results)]) // the receiver may have moved them
		results = results[:0]
	}
}

// stop returns when all requests taken are answered. The queue must be closed.
func (r *reader) stop() { r.workers.Wait() }

// view reads records. It is not safe for concurrent use; each worker has its own.
type view struct {
	db  *pebble.DB
	key records.KeyBuf
}

// answer does one read.
func (v *view) answer(op *storage.Op) storage.Result {
	r := storage.Result{Kind: op.Kind, Tag: op.Tag, Name: op.Name}
	switch op.Kind {
	case storage.OpGet:
		r.Account, r.Err = v.account(op.Name, op.Brief)
	case storage.OpAddressBans:
		r.AddressBans, r.Damaged, r.Err = v.addressBans()
	case storage.OpList:
		r.Accounts, r.Err = v.list(op.Name, op.Limit)
	case storage.OpDevice:
		r.Account, r.Device, r.Err = v.accountAndDevice(op)
	case storage.OpDevices:
		r.Devices, r.Err = v.devicesOfAccount(op)
	case storage.OpDecoys:
		r.Decoys, r.Err = v.decoys()
	case storage.OpSampleSalts:
		r.Decoys = new(storage.Decoys)
		r.Decoys.Salts, r.Err = v.sampleSalts()
	default: // a store opened for reading sends changes here
		r.Err = storage.ErrReadOnly
	}
	return r
}

// account reads an account's record and, unless brief, that of its logins. It reads the
// second also if the first is missing, so that a lookup costs the same for unknown names.
func (v *view) account(n storage.Name, brief bool) (*storage.Account, error) {
	a := &storage.Account{Name: n}
	err := v.get(v.key.Account(&n), func(b []byte) error { return records.ParseAccount(b, a) })
	if !brief {
		login, loginErr := v.login(n)
		a.Login = login
		if err == nil && loginErr != storage.ErrNotFound {
			err = loginErr
		}
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// login reads a login record; ErrNotFound if there is none.
func (v *view) login(n storage.Name) (l storage.LoginRecord, err error) {
	err = v.get(v.key.Login(&n), func(b []byte) (err error) {
		l, err = records.ParseLogin(b)
		return err
	})
	return l, err
}

// has reports whether there is a record under a key.
func (v *view) has(key []byte) (bool, error) {
	err := v.get(key, func([]byte) error { return nil })
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// get calls parse with a record, which parse must not keep.
func (v *view) get(key []byte, parse func([]byte) error) error {
	b, closer, err := v.db.Get(key)
	if err != nil {
		return readError(err)
	}
	defer closer.Close()
	return parse(b)
}

// readError returns ErrNotFound for a missing key, ErrUnreadable for a block with a wrong
// checksum, without Pebble's stack traces, and ErrReadFailed for an error of the disk.
func readError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pebble.ErrNotFound):
		return storage.ErrNotFound
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %s", storage.ErrUnreadable, firstLine(err.Error()))
	}
	return fmt.Errorf("%w: %w", storage.ErrReadFailed, err)
}

// list reads accounts in name order, after a name.
func (v *view) list(after storage.Name, limit int) (list []storage.Account, err error) {
	if limit <= 0 || limit > storage.MaxList {
		limit = storage.MaxList
	}
	lower, upper := records.Bounds(records.PrefixAccount)
	if after != (storage.Name{}) {
		// The next key after a key is that key and a zero byte.
		lower = append(append([]byte(nil), v.key.Account(&after)...), 0)
	}
	err = v.scan(lower, upper, func(key, _ []byte) error {
		n, err := records.NameOf(key)
		if err != nil {
			return errors.Join(storage.ErrCorrupt, err)
		}
		a, err := v.account(n, false)
		switch {
		case errors.Is(err, storage.ErrNotFound): // deleted since the scan began
			return nil
		case err != nil:
			return err
		}
		if list = append(list, *a); len(list) == limit {
			return io.EOF
		}
		return nil
	})
	return list, err
}

// scan calls each for every key in [lower, upper) until it returns an error;
// io.EOF ends the scan without one.
func (v *view) scan(lower, upper []byte, each func(key, value []byte) error) (err error) {
	it, err := v.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return readError(err)
	}
	defer func() {
		// Close repeats the error of Error.
		if closeErr := it.Close(); err == nil {
			err = readError(closeErr)
		}
	}()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = each(it.Key(), value)
		} else {
			err = readError(err)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return readError(it.Error())
}

// accountAndDevice answers OpDevice. It looks for both records even if the first is
// missing, as for accounts and their logins.
func (v *view) accountAndDevice(op *storage.Op) (*storage.Account, *storage.Device, error) {
	if err := op.Validate(); err != nil {
		return nil, nil, err
	}
	a, err := v.account(op.Name, true)
	d, deviceErr := v.device(op.Name, op.Device.Family)
	if err == nil {
		err = deviceErr
	}
	if err != nil {
		return a, nil, err
	}
	return a, &d, nil
}

// device reads one device; ErrNotFound if there is none.
func (v *view) device(n storage.Name, family [16]byte) (d storage.Device, err error) {
	d.Family = family
	err = v.get(v.key.Device(&n, family), func(b []byte) error { return records.ParseDevice(b, &d) })
	if err != nil {
		return storage.Device{}, err
	}
	return d, nil
}

// devicesOfAccount answers OpDevices.
func (v *view) devicesOfAccount(op *storage.Op) ([]storage.Device, error) {
	there, err := v.has(v.key.Account(&op.Name))
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, storage.ErrNotFound
	}
	list, err := v.devices(op.Name)
	slices.SortFunc(list, storage.LastUsedFirst)
	for i := range list {
		if op.Brief {
			list[i].Key, list[i].Verifier = [32]byte{}, [32]byte{}
		}
	}
	return list, err
}

// devices reads all devices of a name by family, expired ones too, since this package has
// no clock.
func (v *view) devices(n storage.Name) (list []storage.Device, err error) {
	err = v.scanDevices(n, func(family [16]byte, value []byte) error {
		list = append(list, storage.Device{Family: family})
		return records.ParseDevice(value, &list[len(list)-1])
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// families reads the families of a name's devices from the keys alone.
func (v *view) families(n storage.Name) (list [][16]byte, err error) {
	err = v.scanDevices(n, func(family [16]byte, _ []byte) error {
		list = append(list, family)
		return nil
	})
	return list, err
}

func (v *view) scanDevices(n storage.Name, each func(family [16]byte, value []byte) error) error {
	lower, upper := records.BoundsOfDevices(&n)
	return v.scan(lower, upper, func(key, value []byte) error {
		family, err := records.FamilyOf(key, len(lower))
		if err != nil {
			return errors.Join(storage.ErrCorrupt, err)
		}
		return each(family, value)
	})
}
