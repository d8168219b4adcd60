package pebble

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

func TestOpen_Locked(t *testing.T) {
	for name, o := range map[string]Options{
		"memory": {Dir: "x", FS: vfs.NewMem()},
		"disk":   {Dir: filepath.Join(t.TempDir(), "deep", "store")},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if _, err := Open(o); !errors.Is(err, storage.ErrLocked) || !strings.Contains(err.Error(), o.Dir) {
				t.Fatalf("second open: %v", err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if p, err = Open(o); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOpen_FolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	p, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
}

func TestOptions_Validate_AllFaultsAtOnce(t *testing.T) {
	err := (&Options{QueueLimit: -1, ReadWorkers: 1000, FlushEvery: 1, CacheBytes: 1}).Validate()
	for _, want := range []string{"folder", "file system", "queue", "workers", "flush", "cache"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: nothing about %s", err, want)
		}
	}
	if _, err := Open(Options{}); err == nil {
		t.Error("opened without a folder")
	}
}

func TestOpen_SecretNeedsRandomness(t *testing.T) {
	fs := vfs.NewMem()
	_, err := Open(Options{Dir: "x", FS: fs, Random: strings.NewReader("short")})
	if err == nil {
		t.Fatal("opened without a secret")
	}
	p, err := Open(Options{Dir: "x", FS: fs, Random: bytes.NewReader(bytes.Repeat([]byte{7}, 32))})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := p.Secret(); got[0] != 7 || got[31] != 7 {
		t.Fatalf("%v", got)
	}
}

// A full queue refuses requests, and takes more as results are delivered.
func TestPebble_Submit_Bounded(t *testing.T) {
	gate, inside := make(chan struct{}), make(chan struct{}, 100)
	var mu sync.Mutex
	got := map[uint64]int{}
	p, err := Open(Options{Dir: "x", FS: vfs.NewMem(), QueueLimit: 4, ReadWorkers: 1, Deliver: func(rs []storage.Result) {
		inside <- struct{}{}
		<-gate
		mu.Lock()
		defer mu.Unlock()
		for _, r := range rs {
			got[r.Tag]++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	get := func(tag uint64) storage.Op { return storage.Op{Kind: storage.OpGet, Tag: tag} }
	if n := p.Submit([]storage.Op{get(1)}); n != 1 {
		t.Fatal(n)
	}
	<-inside // it is in work, and still counts
	if n := p.Submit([]storage.Op{get(2), get(3), get(4), get(5), get(6)}); n != 3 {
		t.Fatalf("took %d, want 3", n)
	}
	// Writes have their own bound; Submit stops at the first request that does not fit.
	if n := p.Submit([]storage.Op{{Kind: storage.OpDelete, Name: storagetest.Account(1).Name, Tag: 7}, get(8), {Kind: storage.OpDelete, Tag: 9}}); n != 1 {
		t.Fatalf("took %d, want 1", n)
	}
	if s := p.Stats(); s.RefusedReads != 3 || s.ReadQueue != 4 || s.WriteQueue != 1 {
		t.Fatalf("%+v", s)
	}
	close(gate)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := map[uint64]int{1: 1, 2: 1, 3: 1, 4: 1, 7: 1}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("results %v, want %v", got, want)
	}
	if n := p.Submit([]storage.Op{get(1)}); n != 0 {
		t.Fatal("took a request after Close")
	}
	if s := p.Stats(); s.ReadQueue != 0 || s.WriteQueue != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestPebble_GroupsWhatComesTogether(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	storagetest.Fill(t, c, 0, 10_000)
	s := c.Store().(*Store).Stats()
	if s.Writes != 10_000 || s.Syncs != s.Groups || s.Groups > 200 || s.SyncTotal < s.SyncLast {
		t.Fatalf("%+v", s)
	}
}

// Notes are synced within FlushEvery without another write.
func TestPebble_Notes_SyncedInTime(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c, err := OpenClient(Options{Dir: "data/store", FS: fs, FlushEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	storagetest.Fill(t, c, 1, 2)
	store := c.Store().(*Store)
	before := store.Stats().Syncs
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: storagetest.Account(1).Name, At: 20})
	for store.Stats().Syncs == before { // the timer decides; the test's own deadline guards
		storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name})
	}
	after := mustOpen(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	if got := storagetest.Do(t, after, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name}).Account.Login.LastLogin; got != 20 {
		t.Fatalf("last login %d", got)
	}
}

// A note causes no fsync, and is durable after the next write that causes one.
func TestPebble_Notes_RideOnTheNextSync(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c := mustOpen(t, fs)
	storagetest.Fill(t, c, 1, 2)
	n := storagetest.Account(1).Name
	login := func(fs vfs.FS) int64 {
		c := mustOpen(t, fs)
		defer storagetest.MustClose(t, c)
		return storagetest.Do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account.Login.LastLogin
	}
	before := c.Store().(*Store).Stats().Syncs
	for i := range int64(5) {
		storagetest.MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: i + 1})
	}
	if got := c.Store().(*Store).Stats().Syncs; got != before {
		t.Fatalf("%d syncs for notes", got-before)
	}
	if got := login(fs.CrashClone(vfs.CrashCloneCfg{})); got != 0 {
		t.Fatalf("note survived without a sync: %d", got)
	}
	storagetest.Fill(t, c, 2, 3)
	if got := login(fs.CrashClone(vfs.CrashCloneCfg{})); got != 5 {
		t.Fatalf("last login %d", got)
	}
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: 9})
	storagetest.MustClose(t, c)
	if got := login(fs.CrashClone(vfs.CrashCloneCfg{})); got != 9 {
		t.Fatalf("Close did not sync: last login %d", got)
	}
}

// A login with Synced is durable when its result is delivered.
func TestPebble_Notes_SyncedOnDemand(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c := mustOpen(t, fs)
	storagetest.Fill(t, c, 1, 2)
	n := storagetest.Account(1).Name
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: 5, Synced: true})
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpLoginFailed, Name: n, At: 6, Synced: true})
	after := mustOpen(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	want := storage.LoginRecord{LastLogin: 5, LastFailed: 6, Failed: 1}
	if got := storagetest.Do(t, after, storage.Op{Kind: storage.OpGet, Name: n}).Account.Login; got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
