package pebble

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
	"gatepass/storage/storagetest"
)

// A store of the last format without a head opens and gets one; from then on it does not
// open without it.
func TestFormat_StoreWithoutHead(t *testing.T) {
	files := damageStore(t, true)
	fs := diskOf(t, files)
	setFormat(t, fs, formatHead-1)
	if err := fs.Remove(damageDir + "/" + headFile); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{ReadOnly: true}, {}, {ReadOnly: true}, {}} {
		before := content(t, fs)
		o.FS = fs
		names, err := readAll(o)
		if err != nil || len(names) != 400 {
			t.Fatalf("read only %v: %d accounts, %v", o.ReadOnly, len(names), err)
		}
		if o.ReadOnly && !maps.Equal(before, content(t, fs)) {
			t.Fatal("reading changed the folder")
		}
	}
	if err := fs.Remove(damageDir + "/" + headFile); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(Options{FS: fs}); !errors.Is(err, storage.ErrDamaged) {
		t.Fatal(err)
	}
}

func setFormat(t *testing.T, fs vfs.FS, to Format) {
	t.Helper()
	db, _ := mustDB(t, fs)
	// The log gets a record behind it, which a test may cut off.
	err := errors.Join(db.Set(records.MetaKey(metaFormat), order.AppendUint32(nil, uint32(to)), pebble.Sync), db.Flush(),
		db.Set(records.MetaKey("last"), nil, pebble.Sync), db.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// A store without a head may have been killed, so a torn end of its log is no damage.
func TestOpen_WithoutHeadAndWithATornLog(t *testing.T) {
	fs := diskOf(t, damageStore(t, true))
	setFormat(t, fs, formatHead-1)
	files := content(t, fs)
	delete(files, headFile)
	for name, raw := range files {
		if parseFile(name).kind == kindLog {
			files[name] = raw[:len(raw)-chunkHeader-1]
		}
	}
	if _, err := readAll(Options{FS: diskOf(t, files)}); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_ReadOnly(t *testing.T) {
	t.Run("no folder", func(t *testing.T) {
		fs := vfs.NewMem()
		if _, err := Open(Options{Dir: damageDir, FS: fs, ReadOnly: true}); !errors.Is(err, storage.ErrNoStore) {
			t.Error(err)
		}
		if _, err := fs.Stat(damageDir); err == nil {
			t.Error("the folder was made")
		}
	})
	t.Run("empty folder", func(t *testing.T) {
		fs := diskOf(t, nil)
		if _, err := Open(Options{Dir: damageDir, FS: fs, ReadOnly: true}); !errors.Is(err, storage.ErrNoStore) {
			t.Error(err)
		}
		if len(content(t, fs)) != 0 {
			t.Error("a file was made")
		}
	})
	t.Run("changes are refused", func(t *testing.T) {
		fs := diskOf(t, damageStore(t, false))
		c, err := OpenClient(Options{Dir: damageDir, FS: fs, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		n := storagetest.Account(1).Name
		for _, op := range []storage.Op{storagetest.Create(storagetest.Account(999)), {Kind: storage.OpDelete, Name: n}, {Kind: storage.OpLogin, Name: n}, {Kind: storage.OpLogin, Name: n, Synced: true}} {
			if r := storagetest.Do(t, c, op); !errors.Is(r.Err, storage.ErrReadOnly) {
				t.Errorf("kind %d: %v", op.Kind, r.Err)
			}
		}
		storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})
		if s := c.Store().(*Store).Stats(); s.Reads == 0 || s.Failed {
			t.Errorf("%+v", s)
		}
		storagetest.MustClose(t, c)
	})
}

// On a real disk: a folder without a lock, a folder without the right to write,
// several readers at once; and a writer keeps readers out.
func TestOpen_ReadOnlyOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	c, err := OpenClient(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Fill(t, c, 0, 10)
	storagetest.MustClose(t, c)
	if err := errors.Join(os.Remove(filepath.Join(dir, "LOCK")), os.Chmod(dir, 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	names := func() (b []byte) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			b = append(append(b, e.Name()...), info.ModTime().String()...)
		}
		return b
	}
	before := names()
	var readers []*storage.Client
	for range 2 {
		r, err := OpenClient(Options{Dir: dir, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r)
	}
	for _, r := range readers {
		storagetest.MustDo(t, r, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name})
		storagetest.MustClose(t, r)
	}
	if !bytes.Equal(before, names()) {
		t.Error("reading changed the folder")
	}
}

// A log missing between others, or before them, is found.
func TestSurvey_MissingLogs(t *testing.T) {
	h := head{state: stateOpen, logs: []uint64{4, 5, 6}}
	for _, gone := range []string{"000004.log", "000005.log", "000006.log"} {
		s := survey{disk: vfs.NewMem(), dir: damageDir, head: h, hasHead: true, manifest: &manifest{minLog: 4}}
		for _, name := range []string{"000004.log", "000005.log", "000006.log"} {
			if name != gone {
				s.files = append(s.files, parseFile(name))
			}
		}
		if err := errors.Join(s.disk.MkdirAll(damageDir, 0o700), s.checkLogs()); err != nil {
			t.Fatal(err)
		}
		if len(s.faults) != 1 || s.faults[0].File != gone {
			t.Errorf("%s gone: %v", gone, s.faults)
		}
	}
}
