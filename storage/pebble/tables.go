package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// tableReader reads tables without a database around them.
type tableReader struct {
	disk    vfs.FS
	options sstable.ReaderOptions
}

func newTableReader(o *Options) *tableReader {
	p := pebbleOptions(o, newFailStop(o.FS))
	p.EnsureDefaults()
	return &tableReader{disk: o.FS, options: p.MakeReaderOptions()}
}

// with opens a table and calls do with it. A panic of Pebble becomes an error.
func (t *tableReader) with(path string, do func(*sstable.Reader) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be read: %v", p)
		}
	}()
	f, err := t.disk.Open(path)
	if err != nil {
		return err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r, err := sstable.NewReader(context.Background(), readable, t.options)
	if err != nil {
		return errors.Join(err, readable.Close())
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return do(r)
}

var (
	errOtherTable = errors.New("it is not the table that the manifest means: its first or last key is another one")
	errTableSize  = errors.New("its size is not the one in the manifest")
)

// checkEnds returns an error unless a table has the size, first key and last key that the
// manifest says. It reads two blocks and the index.
func (t *tableReader) checkEnds(path string, e tableEntry) error {
	info, err := t.disk.Stat(path)
	if err != nil {
		return err
	}
	if uint64(info.Size()) != e.size {
		return fmt.Errorf("%w: %d bytes, not %d", errTableSize, info.Size(), e.size)
	}
	if e.virtual || e.smallest == nil {
		return nil
	}
	return t.with(path, func(r *sstable.Reader) error {
		it, err := r.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
		if err != nil {
			return err
		}
		defer it.Close() // repeats the error of Error
		kv := it.First()
		same := kv != nil && isKey(kv.K, e.smallest)
		if same {
			kv = it.Last()
			same = kv != nil && isKey(kv.K, e.largest)
		}
		if it.Error() == nil && !same {
			return errOtherTable
		}
		return it.Error()
	})
}

// isKey compares a key with one encoded as in the manifest.
func isKey(k pebble.InternalKey, encoded []byte) bool {
	trailer := k.EncodeTrailer()
	user, ok := bytes.CutSuffix(encoded, trailer[:])
	return ok && bytes.Equal(user, k.UserKey)
}
