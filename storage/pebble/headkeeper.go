package pebble

import (
	"hash/crc32"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// headKeeper keeps the head of an open store up to date. The failStop reports to it what
// reaches the disk, the writer which groups are synced:
//
//	manifest synced ──▶ current or next  ─┐ fsynced at once: files that the manifest no
//	marker moved    ──▶ next is current  ─┘ longer needs are deleted only after that
//	log made        ──▶ logs             ─┐ written without an fsync: a crash of the process
//	group synced    ──▶ acked            ─┘ loses nothing, a power cut leaves an older head
//
// An older head demands less, so it never causes a whole store to be refused. Methods may
// be called from any goroutine.
type headKeeper struct {
	dir  string // the store's folder
	disk vfs.FS

	mu      sync.Mutex
	file    vfs.File // nil until open
	head    head
	made    []uint64                 // logs whose folder is not synced yet
	marked  uint64                   // manifest that a new marker names, folder not synced yet
	written map[uint64]*manifestMark // manifests being written, up to what was written
	scratch []byte
}

func newHeadKeeper(disk vfs.FS, dir string) *headKeeper {
	return &headKeeper{dir: dir, disk: disk, written: map[uint64]*manifestMark{}}
}

// open makes h the head, durably. The file must exist.
func (k *headKeeper) open(h head) (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.file, err = k.disk.OpenReadWrite(k.disk.PathJoin(k.dir, headFile), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	k.head = h
	return k.storeLocked(true)
}

// become changes the state durably.
func (k *headKeeper) become(s headState) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.head.state = s
	return k.storeLocked(true)
}

// close closes the file.
func (k *headKeeper) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return nil
	}
	defer func() { k.file = nil }()
	return k.file.Close()
}

// storeLocked writes the head into the older slot.
func (k *headKeeper) storeLocked(durable bool) error {
	if k.file == nil {
		return nil
	}
	k.head.generation++
	k.scratch = k.head.append(k.scratch[:0])
	if _, err := k.file.WriteAt(k.scratch, int64(k.head.slot())); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	return k.file.Sync()
}

// newestLog returns the number of the log that was created last, 0 for none.
func (k *headKeeper) newestLog() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch logs := k.head.logs; {
	case len(k.made) > 0:
		return k.made[len(k.made)-1]
	case len(logs) > 0:
		return logs[len(logs)-1]
	}
	return 0
}

// acked notes that everything below a sequence number is synced, in the log numbered in,
// in later ones or in tables.
func (k *headKeeper) acked(in, sequence uint64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if sequence <= k.head.acked {
		return nil // a group of refusals
	}
	k.head.ackedIn, k.head.acked = in, sequence
	return k.storeLocked(false)
}

// created notes a new file. It returns the number of a manifest, 0 of other files.
func (k *headKeeper) created(name string) (manifest uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch f := parseFile(k.disk.PathBase(name)); f.kind {
	case kindManifest:
		k.written[f.number] = &manifestMark{number: f.number}
		return f.number
	case kindLog:
		k.made = append(k.made, f.number)
	case kindManifestMarker:
		k.marked = f.number
	}
	return 0
}

// wrote notes bytes that were appended to a manifest.
func (k *headKeeper) wrote(number uint64, p []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m := k.written[number]; m != nil {
		m.size += uint64(len(p))
		m.sum = crc32.Update(m.sum, crc32.MakeTable(crc32.Castagnoli), p)
	}
}

// synced notes that everything written to a manifest is durable.
func (k *headKeeper) synced(number uint64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.written[number]
	if m == nil {
		return nil
	}
	if number == k.head.current.number {
		k.head.current = *m
	} else {
		k.head.next = *m
	}
	return k.storeLocked(true)
}

// dirSynced notes that the files created in a folder are durable.
func (k *headKeeper) dirSynced(dir string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if dir != k.dir || len(k.made) == 0 && k.marked == 0 {
		return nil
	}
	k.head.logs = append(k.head.logs, k.made...)
	k.head.logs = k.head.logs[max(0, len(k.head.logs)-headLogs):]
	k.made = k.made[:0]
	moved := k.marked != 0 && k.marked == k.head.next.number
	if moved {
		delete(k.written, k.head.current.number)
		k.head.current, k.head.next = k.head.next, manifestMark{}
	}
	k.marked = 0
	return k.storeLocked(moved)
}

// fileKind says what a file in the store's folder is.
type fileKind uint8

const (
	kindOther fileKind = iota
	kindManifest
	kindManifestMarker
	kindFormatMarker
	kindLog
	kindTable
	kindBlob
	kindOptions
)

// storeFile is what a file's name says.
type storeFile struct {
	name   string
	kind   fileKind
	number uint64 // of a marker: that of the manifest it names
	turn   uint64 // of a marker: the highest is in force
}

// parseFile reads a file's name.
func parseFile(name string) storeFile {
	f := storeFile{name: name}
	numbered := func(kind fileKind, digits string, ok bool) storeFile {
		n, err := strconv.ParseUint(digits, 10, 64)
		if ok && err == nil {
			f.kind, f.number = kind, n
		}
		return f
	}
	if rest, ok := strings.CutPrefix(name, "marker."); ok {
		return parseMarker(f, strings.SplitN(rest, ".", 3))
	}
	for prefix, kind := range map[string]fileKind{"MANIFEST-": kindManifest, "OPTIONS-": kindOptions} {
		if digits, ok := strings.CutPrefix(name, prefix); ok {
			return numbered(kind, digits, ok)
		}
	}
	digits, suffix, ok := strings.Cut(name, ".")
	kind := map[string]fileKind{"log": kindLog, "sst": kindTable, "blob": kindBlob}[suffix]
	return numbered(kind, digits, ok && kind != kindOther)
}

// parseMarker reads the three parts of a marker's name: what it marks, its turn
// and its value.
func parseMarker(f storeFile, parts []string) storeFile {
	if len(parts) != 3 {
		return f
	}
	turn, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return f
	}
	f.turn = turn
	switch parts[0] {
	case "format-version":
		f.kind = kindFormatMarker
	case "manifest":
		if m := parseFile(parts[2]); m.kind == kindManifest {
			f.kind, f.number = kindManifestMarker, m.number
		}
	}
	return f
}
