package pebble

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
	"gatepass/storage/storagetest"
)

// mustDB opens the database of a store without the store and keeps the head up to date. The
// test closes it.
func mustDB(t *testing.T, fs vfs.FS) (*pebble.DB, *failStop) {
	t.Helper()
	o := Options{Dir: "data/store", FS: fs}
	o.EnsureDefaults()
	f := newFailStop(fs)
	if err := makeDir(fs, o.Dir); err != nil {
		t.Fatal(err)
	}
	s, err := look(&o)
	if err != nil {
		t.Fatal(err)
	}
	f.keeper = newHeadKeeper(fs, o.Dir)
	if err := s.takeHead(f.keeper, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.keeper.close() })
	db, err := openDB(&o, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	return db, f
}

func TestFormat_FromTheFuture(t *testing.T) {
	fs := vfs.NewMem()
	storagetest.MustClose(t, mustOpen(t, fs))
	db, _ := mustDB(t, fs)
	future := order.AppendUint32(nil, uint32(len(formatSteps())+1))
	if err := errors.Join(db.Set(records.MetaKey(metaFormat), future, pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and it stays refused, and the folder unlocked
		if _, err := Open(Options{Dir: "data/store", FS: fs}); !errors.Is(err, storage.ErrFormat) {
			t.Fatal(err)
		}
	}
}

// Each step is done once, in order, together with its format; a step that fails leaves the
// previous format.
func TestFormat_MovesForwardByNamedSteps(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	secret := c.Store().Secret()
	storagetest.MustClose(t, c)
	db, f := mustDB(t, fs)
	var done []string
	note := func(name string, err error) step {
		return step{name: name, do: func(m *migration) error {
			done = append(done, name)
			return errors.Join(err, m.batch.Set(records.MetaKey(name), []byte("x"), nil))
		}}
	}
	broken := errors.New("broken")
	steps := append(formatSteps(), note("two", nil), note("three", broken))
	if err := migrate(db, f, steps, rand.Reader); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if at, err := readFormat(db); int(at) != len(formatSteps())+1 || err != nil {
		t.Fatal(at, err)
	}
	if _, _, err := db.Get(records.MetaKey("three")); !errors.Is(err, pebble.ErrNotFound) {
		t.Fatal("half a step is in the store", err)
	}
	steps[len(steps)-1] = note("three", nil)
	if err := migrate(db, f, steps, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if len(done) != 3 || done[0] != "two" || done[1] != "three" || done[2] != "three" {
		t.Fatal(done)
	}
	if got, err := readSecret(db); err != nil || got != secret {
		t.Fatal("the secret changed", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_CorruptMeta(t *testing.T) {
	fs := vfs.NewMem()
	storagetest.MustClose(t, mustOpen(t, fs))
	db, _ := mustDB(t, fs)
	if err := errors.Join(db.Set(records.MetaKey(metaSecret), []byte("short"), pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: "data/store", FS: fs}); !errors.Is(err, storage.ErrCorrupt) {
		t.Fatal(err)
	}
}

func TestPebble_CorruptRecord_FailsItsRequestOnly(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	storagetest.Fill(t, c, 0, 3)
	n := storagetest.Account(1).Name
	var k records.KeyBuf
	if err := c.Store().(*Store).db.Set(k.Account(&n), []byte{records.Version, 0xff}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []storage.OpKind{storage.OpGet, storage.OpBan, storage.OpUnban} {
		if r := storagetest.Do(t, c, storage.Op{Kind: kind, Name: n}); !errors.Is(r.Err, storage.ErrCorrupt) || r.Account != nil {
			t.Errorf("kind %d: %v", kind, r.Err)
		}
	}
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(2).Name})
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpDelete, Name: n}) // the way to get rid of it
}
