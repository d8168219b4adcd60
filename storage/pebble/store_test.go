package pebble

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

func TestPebble_Create_ComesBackWhole(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	a := numbered(1)
	a.PIN, a.TOTPSecret = "12345", []byte{1, 2, 3}
	a.Others = map[string][]byte{"srp6a-2048": []byte("xyz"), "other": {}}
	a.Ban = storage.Ban{Set: true, Since: 5, Until: 9, Reason: "bots", By: "gm"}
	mustDo(t, c, create(a))
	if got := do(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
		t.Fatalf("got %+v, want %+v", got, a)
	}
	secret := c.Store().Secret()
	mustClose(t, c)
	c = mustOpen(t, fs)
	if got := do(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
		t.Fatalf("after reopening got %+v, want %+v", got, a)
	}
	if c.Store().Secret() != secret || secret == [32]byte{} {
		t.Fatal("the secret changed or was never made")
	}
}

// Each request sees what earlier ones of the same group did.
func TestPebble_Submit_InOrder(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	a, n := numbered(1), numbered(1).Name
	other := numbered(2)
	p := netip.MustParsePrefix("10.1.2.3/8")
	steps := []struct {
		op   storage.Op
		want error
	}{
		{storage.Op{Kind: storage.OpDelete, Name: n}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpBan, Name: n}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: other}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpSetFactors, Name: n, Account: other}, storage.ErrNotFound},
		{create(a), nil},
		{create(a), storage.ErrExists},
		{storage.Op{Kind: storage.OpUnban, Name: n}, storage.ErrNotBanned},
		{storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 7}}, nil},
		{storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: other}, nil},
		{storage.Op{Kind: storage.OpDelete, Name: n}, nil},
		{storage.Op{Kind: storage.OpUnban, Name: n}, storage.ErrNotFound},
		{create(a), nil},
		{storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 8, Reason: "x"}}, nil},
		{storage.Op{Kind: storage.OpUnbanAddress, Prefix: p}, storage.ErrNotBanned},
		{storage.Op{Kind: storage.OpBanAddress, Prefix: p}, nil},
		{storage.Op{Kind: storage.OpUnbanAddress, Prefix: netip.MustParsePrefix("10.0.0.0/8")}, nil},
		{storage.Op{Kind: storage.OpUnbanAddress, Prefix: p}, storage.ErrNotBanned},
		{storage.Op{Kind: storage.OpBanAddress}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpLogin}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpCreate}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpSetFactors, Name: n}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{PIN: "123"}}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{TOTPSecret: make([]byte, storage.MaxTOTPSecret+1)}}, storage.ErrInvalid},
		{storage.Op{Kind: 99}, storage.ErrInvalid},
	}
	var ops []storage.Op
	for i, s := range steps {
		s.op.Tag = uint64(i) + 1000
		ops = append(ops, s.op)
	}
	results, err := c.Do(context.Background(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != steps[i].want || r.Tag != uint64(i)+1000 || r.Kind != ops[i].Kind {
			t.Errorf("step %d (kind %d): %v under tag %d, want %v", i, r.Kind, r.Err, r.Tag, steps[i].want)
		}
	}
	got := do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account
	if got.Ban.Reason != "x" || got.Grunt != a.Grunt {
		t.Fatalf("got %+v", got)
	}
}

func TestPebble_SetFactors_ChangesNothingElse(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	a := numbered(1)
	a.PIN, a.Others = "12345", map[string][]byte{"other": {1}}
	a.Ban = storage.Ban{Set: true, Reason: "r"}
	mustDo(t, c, create(a))
	for _, factors := range []storage.Account{{TOTPSecret: []byte{1, 2, 3}}, {}, {PIN: "0001", TOTPSecret: []byte{9}}} {
		mustDo(t, c, storage.Op{Kind: storage.OpSetFactors, Name: a.Name, Account: &factors})
		a.PIN, a.TOTPSecret = factors.PIN, factors.TOTPSecret
		if got := do(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
			t.Fatalf("got %+v, want %+v", got, a)
		}
	}
	mustClose(t, c)
	if got := do(t, mustOpen(t, fs), storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
		t.Fatalf("after reopening got %+v, want %+v", got, a)
	}
}

func TestPebble_AddressBans(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	ban := storage.Ban{Set: true, Since: 1, Until: 2, Reason: "r", By: "b"}
	for _, s := range []string{"10.1.2.3/8", "2001:db8::1/32", "::ffff:10.9.9.9/104", "192.0.2.7/32"} {
		mustDo(t, c, storage.Op{Kind: storage.OpBanAddress, Prefix: netip.MustParsePrefix(s), Ban: ban})
	}
	bans := do(t, c, storage.Op{Kind: storage.OpAddressBans}).AddressBans
	var got []string
	for _, b := range bans {
		got = append(got, b.Prefix.String())
		if b.Ban != ban {
			t.Errorf("%v: %+v", b.Prefix, b.Ban)
		}
	}
	if want := "10.0.0.0/8 192.0.2.7/32 2001:db8::/32"; strings.Join(got, " ") != want {
		t.Fatalf("bans %v, want %v", got, want)
	}
}

func TestPebble_List_GoesOnBehindAName(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 0, 25)
	mustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: numbered(3).Name, At: 77})
	seen := map[storage.Name]bool{}
	var after storage.Name
	for {
		page := do(t, c, storage.Op{Kind: storage.OpList, Name: after, Limit: 10}).Accounts
		if len(page) == 0 {
			break
		}
		if len(page) > 10 {
			t.Fatalf("page of %d", len(page))
		}
		for _, a := range page {
			if string(a.Name.Bytes()) <= string(after.Bytes()) {
				t.Fatalf("%v after %v", a.Name, after)
			}
			seen[a.Name], after = true, a.Name
			if a.Name == numbered(3).Name && a.Login.LastLogin != 77 {
				t.Fatal("no login record in the list")
			}
		}
	}
	if len(seen) != 25 {
		t.Fatalf("saw %d accounts", len(seen))
	}
}

func TestPebble_Logins(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	n, addr := numbered(1).Name, netip.MustParseAddr("192.0.2.1")
	fill(t, c, 1, 2)
	failed := func(at int64) storage.Op { return storage.Op{Kind: storage.OpLoginFailed, Name: n, At: at} }
	record := func() storage.LoginRecord { return do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account.Login }

	mustDo(t, c, failed(10), failed(11))
	mustDo(t, c, failed(12))
	if got, want := record(), (storage.LoginRecord{LastFailed: 12, Failed: 3}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	mustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: 20, Addr: addr})
	mustDo(t, c, failed(21))
	if got, want := record(), (storage.LoginRecord{LastLogin: 20, LastAddr: addr, LastFailed: 21, Failed: 1}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	mustDo(t, c, storage.Op{Kind: storage.OpLoginFailed, Name: mustName(t, "nobody"), At: 1})
	if err := do(t, c, storage.Op{Kind: storage.OpGet, Name: mustName(t, "nobody")}).Err; err != storage.ErrNotFound {
		t.Fatalf("nobody: %v", err)
	}
}

func TestPebble_DeleteThenCreate_LeavesNoOldLogin(t *testing.T) {
	n := numbered(1).Name
	login := storage.Op{Kind: storage.OpLogin, Name: n, At: 20}
	gone := storage.Op{Kind: storage.OpDelete, Name: n}
	for name, groups := range map[string][][]storage.Op{
		"one group":                    {{login, gone, create(numbered(1))}},
		"login after the deletion":     {{gone, login, create(numbered(1))}},
		"each a group":                 {{login}, {gone}, {create(numbered(1))}},
		"each a group, login too late": {{gone}, {login}, {create(numbered(1))}},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, vfs.NewMem())
			fill(t, c, 1, 2)
			for _, g := range groups {
				mustDo(t, c, g...)
			}
			if got := do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account; got.Login != (storage.LoginRecord{}) {
				t.Fatalf("got %+v", got.Login)
			}
		})
	}
}

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

// A full queue refuses, and makes room as results come.
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
	// Writes have a bound of their own; order stops at the first that is refused.
	if n := p.Submit([]storage.Op{{Kind: storage.OpDelete, Name: numbered(1).Name, Tag: 7}, get(8), {Kind: storage.OpDelete, Tag: 9}}); n != 1 {
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

// Whatever was taken gets exactly one result, though the store closes meanwhile.
func TestPebble_Close_UnderLoad(t *testing.T) {
	var mu sync.Mutex
	got := map[uint64]int{}
	fs := vfs.NewMem()
	p, err := Open(Options{Dir: "x", FS: fs, Deliver: func(rs []storage.Result) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range rs {
			got[r.Tag]++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var taken [4]uint64
	var producers sync.WaitGroup
	started := make(chan struct{}, len(taken))
	for i := range taken {
		producers.Go(func() {
			for tag := uint64(0); ; tag++ {
				if tag == 200 {
					started <- struct{}{}
				}
				a := numbered(int(tag)*len(taken) + i)
				op := []storage.Op{create(a), {Kind: storage.OpGet, Name: a.Name}, {Kind: storage.OpLogin, Name: a.Name}}[tag%3]
				op.Tag = tag<<8 | uint64(i)
				if p.Submit([]storage.Op{op}) == 0 {
					taken[i] = tag
					return
				}
			}
		})
	}
	<-started
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	producers.Wait()
	total := 0
	for i, n := range taken {
		for tag := range n {
			if got[tag<<8|uint64(i)] != 1 {
				t.Fatalf("producer %d request %d: %d results", i, tag, got[tag<<8|uint64(i)])
			}
			total++
		}
	}
	if len(got) != total {
		t.Fatalf("%d results for %d requests", len(got), total)
	}
}

func TestPebble_GroupsWhatComesTogether(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 0, 10_000)
	s := c.Store().(*Store).Stats()
	if s.Writes != 10_000 || s.Syncs != s.Groups || s.Groups > 200 || s.SyncTotal < s.SyncLast {
		t.Fatalf("%+v", s)
	}
}

// Notes are synced within FlushEvery though no other write comes.
func TestPebble_Notes_SyncedInTime(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c, err := OpenClient(Options{Dir: "data/store", FS: fs, FlushEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fill(t, c, 1, 2)
	store := c.Store().(*Store)
	before := store.Stats().Syncs
	mustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: numbered(1).Name, At: 20})
	for store.Stats().Syncs == before { // the timer decides; the test's own deadline guards
		mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: numbered(1).Name})
	}
	after := mustOpen(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	if got := do(t, after, storage.Op{Kind: storage.OpGet, Name: numbered(1).Name}).Account.Login.LastLogin; got != 20 {
		t.Fatalf("last login %d", got)
	}
}

// A note costs no fsync, and is durable with the next write that has one.
func TestPebble_Notes_RideOnTheNextSync(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c := mustOpen(t, fs)
	fill(t, c, 1, 2)
	n := numbered(1).Name
	login := func(fs vfs.FS) int64 {
		c := mustOpen(t, fs)
		defer mustClose(t, c)
		return do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account.Login.LastLogin
	}
	before := c.Store().(*Store).Stats().Syncs
	for i := range int64(5) {
		mustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: i + 1})
	}
	if got := c.Store().(*Store).Stats().Syncs; got != before {
		t.Fatalf("%d syncs for notes", got-before)
	}
	if got := login(fs.CrashClone(vfs.CrashCloneCfg{})); got != 0 {
		t.Fatalf("note survived without a sync: %d", got)
	}
	fill(t, c, 2, 3)
	if got := login(fs.CrashClone(vfs.CrashCloneCfg{})); got != 5 {
		t.Fatalf("last login %d", got)
	}
	mustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: 9})
	mustClose(t, c)
	if got := login(fs.CrashClone(vfs.CrashCloneCfg{})); got != 9 {
		t.Fatalf("Close did not sync: last login %d", got)
	}
}

// A login that asks for it is on disk when its result comes.
func TestPebble_Notes_SyncedOnDemand(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c := mustOpen(t, fs)
	fill(t, c, 1, 2)
	n := numbered(1).Name
	mustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: 5, Synced: true})
	mustDo(t, c, storage.Op{Kind: storage.OpLoginFailed, Name: n, At: 6, Synced: true})
	after := mustOpen(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	want := storage.LoginRecord{LastLogin: 5, LastFailed: 6, Failed: 1}
	if got := do(t, after, storage.Op{Kind: storage.OpGet, Name: n}).Account.Login; got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestPebble_Get_BriefLeavesTheLoginsOut(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	a := numbered(1)
	mustDo(t, c, create(a), storage.Op{Kind: storage.OpLogin, Name: a.Name, At: 77, Synced: true})
	whole := mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name})[0].Account
	brief := mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name, Brief: true})[0].Account
	if whole.Login.LastLogin != 77 || brief.Login != (storage.LoginRecord{}) {
		t.Fatalf("logins: whole %+v, brief %+v", whole.Login, brief.Login)
	}
	whole.Login = storage.LoginRecord{}
	if !reflect.DeepEqual(whole, brief) {
		t.Fatalf("whole %+v, brief %+v", whole, brief)
	}
	if r := do(t, c, storage.Op{Kind: storage.OpGet, Name: numbered(2).Name, Brief: true}); !errors.Is(r.Err, storage.ErrNotFound) || r.Account != nil {
		t.Fatalf("an account that is not there: %+v", r)
	}
}
