package pebble

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
	"gatepass/storage/storagetest"
)

func mustCheck(t *testing.T, fs vfs.FS) *storage.CheckReport {
	t.Helper()
	before := content(t, fs)
	report, err := Check(t.Context(), Options{Dir: damageDir, FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, content(t, fs)) {
		t.Error("the folder was changed")
	}
	return report
}

// salvaged is what Salvage finds.
func salvaged(t *testing.T, fs vfs.FS) (names map[string]*storage.Account, bans int, lost []storage.Fault) {
	t.Helper()
	names = map[string]*storage.Account{}
	before := content(t, fs)
	lost, err := Salvage(t.Context(), Options{Dir: damageDir, FS: fs}, storage.Salvaged{
		Account:    func(a *storage.Account, _ []storage.Device) error { names[a.Name.String()] = a; return nil },
		AddressBan: func(*storage.AddressBan) error { bans++; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, content(t, fs)) {
		t.Error("the folder was changed")
	}
	return names, bans, lost
}

func TestCheck_WholeStore(t *testing.T) {
	for _, closed := range []bool{true, false} {
		r := mustCheck(t, diskOf(t, damageStore(t, closed)))
		if len(r.Faults) != 0 || r.Accounts != 400 || r.Tables == 0 || r.Logs == 0 || r.Bytes == 0 || int(r.Format) != len(formatSteps()) {
			t.Errorf("closed %v: %+v", closed, r)
		}
	}
	if _, err := Check(t.Context(), Options{Dir: damageDir, FS: vfs.NewMem()}); !errors.Is(err, storage.ErrNoStore) {
		t.Error(err)
	}
}

// A change of any byte of a table or of the log is found, except in unused space.
func TestCheck_FindsEachDamageOfTablesAndLogs(t *testing.T) {
	whole := damageStore(t, true)
	for name, raw := range whole {
		kind := parseFile(name).kind
		if kind != kindTable && kind != kindLog {
			continue
		}
		size := len(strings.TrimRight(raw, "\x00"))
		if kind == kindLog {
			size -= 2 * chunkHeader // the mark of its end
		}
		for at := 0; at < size; at += 997 {
			files := maps.Clone(whole)
			files[name] = flipped(raw, at, 0x10)
			fs := diskOf(t, files)
			r := mustCheck(t, fs)
			if !slices.ContainsFunc(r.Faults, func(f storage.Fault) bool { return f.File == name }) {
				t.Errorf("%s, byte %d: %v", name, at, r.Faults)
			}
		}
	}
}

// Records that do not belong together are found too.
func TestCheck_RecordsAgainstEachOther(t *testing.T) {
	fs := diskOf(t, damageStore(t, true))
	db, _ := mustDB(t, fs)
	var k records.KeyBuf
	nobody, somebody := storagetest.MustName(t, "nobody"), storagetest.Account(1).Name
	set := func(key, value []byte) {
		if err := db.Set(slices.Clone(key), value, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	set(k.Device(&nobody, storagetest.Device(1).Family), records.AppendDevice(nil, storagetest.Device(1)))
	set(k.Account(&somebody), []byte{records.Version, 0xff})
	set([]byte("x"), nil)
	set([]byte{records.PrefixAddressBan, 3}, nil)
	set([]byte{records.PrefixDevice, 200, 1}, nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if r := mustCheck(t, fs); len(r.Faults) != 5 {
		t.Errorf("%v", r.Faults)
	}
	names, _, lost := salvaged(t, fs)
	if len(names) != 399 || len(lost) != 4 {
		t.Errorf("%d accounts, lost %v", len(names), lost)
	}
}

// Everything else is saved from a store that lost its manifest or markers, or a part of a
// file.
func TestSalvage(t *testing.T) {
	whole := damageStore(t, true)
	gone := func(match func(storeFile) bool) func(map[string]string) {
		return func(m map[string]string) {
			maps.DeleteFunc(m, func(n, _ string) bool { return match(parseFile(n)) })
		}
	}
	first := func(m map[string]string, kind fileKind) string {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if parseFile(name).kind == kind {
				return name
			}
		}
		return ""
	}
	flip := func(kind fileKind, at int) func(map[string]string) {
		return func(m map[string]string) {
			n := first(m, kind)
			m[n] = flipped(m[n], at, 1)
		}
	}
	for name, c := range map[string]struct {
		do    func(map[string]string)
		least int
		lost  bool
	}{
		"nothing":                  {func(map[string]string) {}, 400, false},
		"no manifest":              {gone(func(f storeFile) bool { return f.kind == kindManifest }), 400, true},
		"no markers":               {gone(func(f storeFile) bool { return f.kind == kindManifestMarker || f.kind == kindFormatMarker }), 400, true},
		"no head":                  {gone(func(f storeFile) bool { return f.name == headFile }), 400, false},
		"a byte of the log":        {flip(kindLog, 5000), 370, true},
		"the first byte of it":     {flip(kindLog, 0), 370, true},
		"a byte of a table":        {flip(kindTable, 5000), 350, true},
		"the first byte of it too": {flip(kindTable, 0), 350, true},
		"no log":                   {gone(func(f storeFile) bool { return f.kind == kindLog }), 290, true},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(whole)
			c.do(files)
			names, _, lost := salvaged(t, diskOf(t, files))
			if len(names) < c.least || len(lost) > 0 != c.lost {
				t.Errorf("%d accounts, want %d; lost %v", len(names), c.least, lost)
			}
			for n, a := range names {
				if a.Name.String() != n || !a.Grunt.Set || a.Created == 0 {
					t.Errorf("%s: %+v", n, a)
				}
			}
		})
	}
}

// Deleted accounts are not saved; changed ones are saved in their last state, with all that
// belongs to them.
func TestSalvage_NewestCounts(t *testing.T) {
	fs := vfs.NewMem()
	c, err := OpenClient(Options{Dir: damageDir, FS: fs, memTableBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Fill(t, c, 0, 300)
	changed := storagetest.Account(7).Name
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpDelete, Name: storagetest.Account(5).Name}, storage.Op{Kind: storage.OpBan, Name: changed, Ban: storage.Ban{Reason: "x"}},
		storage.Op{Kind: storage.OpLogin, Name: changed, At: 77, Synced: true}, storagetest.AddDevice(changed, storagetest.Device(1)),
		storage.Op{Kind: storage.OpBanAddress, Prefix: netip.MustParsePrefix("10.0.0.0/8")})
	storagetest.MustClose(t, c)
	files := content(t, fs)
	delete(files, headFile)
	names, bans, _ := salvaged(t, diskOf(t, files))
	a := names[changed.String()]
	if len(names) != 299 || names[storagetest.Account(5).Name.String()] != nil || bans != 1 || a.Ban.Reason != "x" || a.Login.LastLogin != 77 {
		t.Errorf("%d accounts, %d bans, %+v", len(names), bans, a)
	}
}

func TestRenewHead(t *testing.T) {
	whole := damageStore(t, true)
	for name, do := range map[string]func(map[string]string){
		"missing": func(m map[string]string) { delete(m, headFile) },
		"damaged": func(m map[string]string) { m[headFile] = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(whole)
			do(files)
			fs := diskOf(t, files)
			if r := mustCheck(t, fs); len(r.Faults) != 1 || r.Faults[0].File != headFile {
				t.Errorf("%v", r.Faults)
			}
			if err := RenewHead(Options{Dir: damageDir, FS: fs}); err != nil {
				t.Fatal(err)
			}
			fourHundred(t, content(t, fs))
		})
	}
	files := maps.Clone(whole)
	maps.DeleteFunc(files, func(n, _ string) bool { return n == headFile || parseFile(n).kind == kindManifest })
	fs := diskOf(t, files)
	if err := RenewHead(Options{Dir: damageDir, FS: fs}); !errors.Is(err, storage.ErrDamaged) {
		t.Error(err)
	}
	if !maps.Equal(withoutLock(files), withoutLock(content(t, fs))) {
		t.Error("the folder was changed")
	}
}
