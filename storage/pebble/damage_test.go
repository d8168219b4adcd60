package pebble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

const damageDir = "data/store"

// readAll reads every account. The error says why some cannot be read.
func readAll(o Options) (names map[string]bool, err error) {
	o.Dir, o.memTableBytes = damageDir, 16<<10
	c, err := OpenClient(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	names = map[string]bool{}
	var after storage.Name
	for {
		results, err := c.Do(context.Background(), storage.Op{Kind: storage.OpList, Name: after})
		if err == nil {
			err = results[0].Err
		}
		if err != nil {
			return nil, err
		}
		if len(results[0].Accounts) == 0 {
			break
		}
		for _, a := range results[0].Accounts {
			names[a.Name.String()] = true
			after = a.Name
		}
	}
	// One by one too, which uses the tables' filters and indexes differently.
	var gets []storage.Op
	for name := range names {
		n, _ := storage.FoldName(name)
		gets = append(gets, storage.Op{Kind: storage.OpGet, Name: n})
	}
	results, err := c.Do(context.Background(), gets...)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	if err != nil {
		return nil, err
	}
	return names, nil
}

// content reads the files of a folder. An open store may delete a file between the
// listing and the reading; then all is read again.
func content(t *testing.T, disk vfs.FS) map[string]string {
	t.Helper()
	for {
		files, err := tryContent(disk)
		if err == nil {
			return files
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func tryContent(disk vfs.FS) (map[string]string, error) {
	names, err := disk.List(damageDir)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, name := range names {
		raw, err := readFile(disk, disk.PathJoin(damageDir, name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = string(raw)
	}
	return files, nil
}

// diskOf is a disk with these files in the store's folder.
func diskOf(t *testing.T, files map[string]string) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll(damageDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, raw := range files {
		if err := writeWhole(fs, fs.PathJoin(damageDir, name), []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

// A damage is one thing done to one file.
type damage struct {
	name string
	do   func(files map[string]string)
}

// damages removes each file, and at each 4 KiB and at its ends changes a byte and cuts the
// file.
func damages(files map[string]string) (all []damage) {
	for _, file := range slices.Sorted(maps.Keys(files)) {
		raw := files[file]
		all = append(all, damage{file + " gone", func(m map[string]string) { delete(m, file) }})
		for _, at := range places(len(raw)) {
			for _, flip := range []byte{0xff, 0x01} {
				all = append(all, damage{fmt.Sprintf("%s byte %d xor %#x", file, at, flip), func(m map[string]string) {
					m[file] = flipped(raw, at, flip)
				}})
			}
			all = append(all, damage{fmt.Sprintf("%s cut at %d", file, at), func(m map[string]string) { m[file] = raw[:at] }})
		}
	}
	return all
}

// flipped returns a file with some bits of a byte changed.
func flipped(raw string, at int, bits byte) string {
	b := []byte(raw)
	b[at] ^= bits
	return string(b)
}

// places returns the offsets at which a file is damaged.
func places(size int) (all []int) {
	for at := 0; at < size; at += 4096 {
		all = append(all, at, at+6, at+7)
	}
	for back := range 24 {
		all = append(all, size-1-back)
	}
	all = slices.DeleteFunc(all, func(at int) bool { return at < 0 || at >= size })
	slices.Sort(all)
	return slices.Compact(all)
}

// damageStore makes a store with tables of several levels, several edits of its manifest
// and a log. It is copied after it was closed, or while it is open.
func damageStore(t *testing.T, closed bool) map[string]string {
	t.Helper()
	return damageStoreOf(t, 400, closed)
}

func damageStoreOf(t *testing.T, all int, closed bool) map[string]string {
	t.Helper()
	fs := vfs.NewMem()
	for from := 0; from < all; from += 100 {
		c, err := OpenClient(Options{Dir: damageDir, FS: fs, memTableBytes: 64 << 10})
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i < from+100; i += 20 {
			storagetest.Fill(t, c, i, i+20)
		}
		files := content(t, fs)
		storagetest.MustClose(t, c)
		if !closed && from+100 == all {
			return files
		}
	}
	return content(t, fs)
}

func fourHundred(t *testing.T, files map[string]string) map[string]bool {
	t.Helper()
	names, err := readAll(Options{FS: diskOf(t, files)})
	if err != nil || len(names) != 400 {
		t.Fatalf("the whole store: %d accounts, %v", len(names), err)
	}
	return names
}

// Whatever happens to one file of a store, the store opens with all accounts or is refused
// and left unchanged.
func TestDamage_AtEachStep(t *testing.T) {
	for name, closed := range map[string]bool{"closed": true, "killed": false} {
		t.Run(name, func(t *testing.T) {
			whole := damageStore(t, closed)
			want := fourHundred(t, whole)
			cases := damages(whole)
			if raceEnabled {
				cases = slices.DeleteFunc(cases, func(damage) bool { return rand.IntN(9) > 0 })
			}
			refused := 0
			for _, d := range cases {
				files := maps.Clone(whole)
				d.do(files)
				for _, readOnly := range []bool{true, false} {
					if !mustBeAllOrNothing(t, d.name, files, readOnly, want) {
						refused++
					}
				}
			}
			t.Logf("%d damages, refused %d of %d openings", len(cases), refused, 2*len(cases))
			if refused < len(cases)/2 {
				t.Error("too few are noticed for this test to tell anything")
			}
		})
	}
}

// mustBeAllOrNothing opens a damaged store and reports whether it has all accounts.
func mustBeAllOrNothing(t *testing.T, what string, files map[string]string, readOnly bool, want map[string]bool) bool {
	t.Helper()
	fs := diskOf(t, files)
	names, err := readAll(Options{FS: fs, ReadOnly: readOnly})
	if err == nil && !maps.Equal(names, want) {
		t.Errorf("%s, read only %v: %d of %d accounts without a word", what, readOnly, len(names), len(want))
	}
	if errors.Is(err, storage.ErrDamaged) || readOnly {
		if !maps.Equal(withoutLock(files), withoutLock(content(t, fs))) {
			t.Errorf("%s, read only %v: the folder was changed (%v)", what, readOnly, err)
		}
	} else if err != nil && !errors.Is(err, storage.ErrUnreadable) {
		t.Errorf("%s, read only %v: %v", what, readOnly, err)
	}
	return err == nil
}

// A folder with other damage is refused and left unchanged.
func TestDamage_Refused(t *testing.T) {
	older, whole := map[string]string{}, damageStore(t, true)
	maps.Copy(older, damageStoreOf(t, 200, true))
	kinds := func(m map[string]string, kind fileKind) (names []string) {
		for name := range m {
			if parseFile(name).kind == kind {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	tables := kinds(whole, kindTable)
	manifest := kinds(whole, kindManifest)
	for name, do := range map[string]func(m map[string]string){
		"a table that does not belong here": func(m map[string]string) { m["000999.sst"] = m[tables[0]] },
		"a log that does not belong here":   func(m map[string]string) { m["000999.log"] = m[kinds(m, kindLog)[0]] },
		"two tables swapped":                func(m map[string]string) { m[tables[0]], m[tables[1]] = m[tables[1]], m[tables[0]] },
		"all tables gone": func(m map[string]string) {
			maps.DeleteFunc(m, func(n, _ string) bool { return parseFile(n).kind == kindTable })
		},
		"all logs gone": func(m map[string]string) {
			maps.DeleteFunc(m, func(n, _ string) bool { return parseFile(n).kind == kindLog })
		},
		"all empty files gone": func(m map[string]string) { maps.DeleteFunc(m, func(_, raw string) bool { return raw == "" }) },
		"all but the head gone": func(m map[string]string) {
			maps.DeleteFunc(m, func(n, _ string) bool { return n != headFile })
		},
		"the head gone":           func(m map[string]string) { delete(m, headFile) },
		"both copies of the head": func(m map[string]string) { m[headFile] = string(make([]byte, headSize)) },
		"the head of an older copy": func(m map[string]string) {
			m[headFile] = older[headFile]
		},
		"all but the head of an older copy": func(m map[string]string) {
			head := m[headFile]
			clear(m)
			maps.Copy(m, older)
			m[headFile] = head
		},
		"an older manifest": func(m map[string]string) { m[manifest[len(manifest)-1]] = m[manifest[0]] },
		"the marker names an older manifest": func(m map[string]string) {
			maps.DeleteFunc(m, func(n, _ string) bool { return parseFile(n).kind == kindManifestMarker })
			m["marker.manifest.000001."+manifest[0]] = ""
		},
		"all tables empty": func(m map[string]string) {
			for _, n := range tables {
				m[n] = ""
			}
		},
		"all tables zero": func(m map[string]string) {
			for _, n := range tables {
				m[n] = string(make([]byte, len(m[n])))
			}
		},
		"no head and a byte of the log": func(m map[string]string) {
			delete(m, headFile)
			log := kinds(m, kindLog)[0]
			m[log] = flipped(m[log], 100, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(whole)
			do(files)
			if maps.Equal(files, whole) {
				t.Fatal("nothing was damaged")
			}
			for _, readOnly := range []bool{true, false} {
				fs := diskOf(t, files)
				_, err := readAll(Options{FS: fs, ReadOnly: readOnly})
				if !errors.Is(err, storage.ErrDamaged) {
					t.Errorf("read only %v: %v", readOnly, err)
				}
				if after := content(t, fs); !maps.Equal(withoutLock(files), withoutLock(after)) {
					t.Errorf("read only %v: the folder was changed", readOnly)
				}
			}
		})
	}
}

func withoutLock(files map[string]string) map[string]string {
	files = maps.Clone(files)
	delete(files, "LOCK")
	return files
}

// The head shows that a manifest lost even its last byte, also where other checks do.
func TestDamage_CutManifestIsNamed(t *testing.T) {
	for _, closed := range []bool{true, false} {
		files := damageStore(t, closed)
		s, err := look(optionsOn(diskOf(t, files)))
		if err != nil || len(s.faults) != 0 {
			t.Fatal(err, s.faults)
		}
		name := fmt.Sprintf("MANIFEST-%06d", s.current.number)
		for what, raw := range map[string]string{
			"cut": files[name][:len(files[name])-1], "changed": flipped(files[name], len(files[name])-1, 1),
		} {
			damaged := maps.Clone(files)
			damaged[name] = raw
			s, err := look(optionsOn(diskOf(t, damaged)))
			if err != nil || !slices.Contains(s.faults, storage.Fault{File: name, Problem: errManifestShort.Error()}) {
				t.Errorf("closed %v, %s: %v, %v", closed, what, s.faults, err)
			}
		}
	}
}

func optionsOn(fs vfs.FS) *Options {
	o := &Options{Dir: damageDir, FS: fs}
	o.EnsureDefaults()
	return o
}
