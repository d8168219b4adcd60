package pebble

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

// survey is what a store's folder holds, read before Pebble opens it: Pebble takes data
// that it cannot read for the end, and deletes files that the rest does not mention. A
// survey changes nothing.
type survey struct {
	options *Options
	disk    vfs.FS
	dir     string
	strict  bool // there is no head to compare the folder with

	files    []storeFile
	head     head
	hasHead  bool
	manifest *manifest
	current  manifestMark // the manifest as it is on the disk
	logs     logScan
	faults   []storage.Fault
}

// look surveys a folder. The error is that of a disk that cannot be read; damage is in the
// faults.
func look(o *Options) (*survey, error) {
	s := &survey{options: o, disk: o.FS, dir: o.Dir}
	if err := s.list(); err != nil || s.isNew() {
		return s, err
	}
	return s, s.compare()
}

// list reads the names of the files and the head.
func (s *survey) list() error {
	names, err := s.disk.List(s.dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		s.files = append(s.files, parseFile(name))
	}
	s.head, s.hasHead, err = readHead(s.disk, s.dir)
	s.strict = !s.hasHead || err != nil
	if errors.Is(err, errHead) {
		s.fault(headFile, err)
		return nil
	}
	return err
}

// isNew reports whether nothing was ever stored here.
func (s *survey) isNew() bool {
	if s.hasHead {
		return s.head.state == stateCreating
	}
	return !slices.ContainsFunc(s.files, func(f storeFile) bool { return f.kind != kindOther })
}

func (s *survey) fault(file string, err error) {
	s.faults = append(s.faults, storage.Fault{File: file, Problem: err.Error()})
}

func (s *survey) path(name string) string { return s.disk.PathJoin(s.dir, name) }

// damage returns nil for a store that may be opened.
func (s *survey) damage() error {
	if len(s.faults) == 0 {
		return nil
	}
	return &storage.DamageError{Dir: s.dir, Faults: s.faults}
}

// compare adds a fault for everything that is not as the store left it.
func (s *survey) compare() error {
	s.checkOptions()
	if _, ok := s.newest(kindFormatMarker); !ok {
		s.fault("marker.format-version.*", errors.New("this empty file is missing; a copy of the folder may have left it out"))
	}
	if err := s.openManifest(); err != nil || s.manifest == nil {
		return err
	}
	s.checkTables()
	if s.strict || s.head.state == stateClosed {
		s.checkStrangers()
	}
	return s.checkLogs()
}

// newest returns the file of a kind that is valid: the marker with the highest turn, or the
// file with the highest number.
func (s *survey) newest(kind fileKind) (newest storeFile, found bool) {
	for _, f := range s.files {
		if f.kind == kind && (!found || f.turn > newest.turn || f.turn == newest.turn && f.number > newest.number) {
			newest, found = f, true
		}
	}
	return newest, found
}

// checkOptions lets Pebble read its OPTIONS file, which must be whole or missing.
func (s *survey) checkOptions() {
	f, ok := s.newest(kindOptions)
	if !ok {
		return
	}
	text, err := readFile(s.disk, s.path(f.name))
	if err == nil {
		p := pebbleOptions(s.options, newFailStop(s.disk))
		p.EnsureDefaults()
		err = p.CheckCompatibility(s.dir, string(text))
	}
	if err != nil {
		s.fault(f.name, fmt.Errorf("it cannot be read (%w); no account is in it, the store opens without it: move it elsewhere if nothing else is damaged", err))
	}
}

var (
	errManifestShort = errors.New("it is shorter than, or differs from, what was synced to it")
	errManifestOther = errors.New("it is not the manifest that was in use; files of an older copy may have been mixed with these")
	errManifestTorn  = errors.New("its end cannot be read")
)

// openManifest reads the valid manifest. If there is none or it cannot be parsed, it adds a
// fault and s.manifest stays nil.
func (s *survey) openManifest() error {
	marker, ok := s.newest(kindManifestMarker)
	if !ok {
		s.fault("marker.manifest.*", errors.New("this empty file is missing; a copy of the folder may have left it out"))
		return nil
	}
	name := fmt.Sprintf("MANIFEST-%06d", marker.number)
	raw, err := readFile(s.disk, s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		s.fault(name, errMissing)
		return nil
	}
	if err != nil {
		return err
	}
	s.current = manifestMark{number: marker.number, size: uint64(len(raw)), sum: checksum(raw)}
	s.checkManifest(name, raw)
	m, err := readManifest(raw)
	if err != nil {
		s.fault(name, err)
		return nil
	}
	if s.strict && m.read < m.size {
		s.fault(name, errManifestTorn)
	}
	s.manifest = m
	return nil
}

// checkManifest compares the manifest with the head.
func (s *survey) checkManifest(name string, raw []byte) {
	if s.strict {
		return
	}
	n := s.current.number
	if s.head.current.isBeginningOf(n, raw) || s.head.next.isBeginningOf(n, raw) {
		return
	}
	err := errManifestOther
	if n == s.head.current.number || n == s.head.next.number {
		err = errManifestShort
	}
	s.fault(name, err)
}

var (
	errMissing  = errors.New("it is missing")
	errStranger = errors.New("the manifest does not know it: the manifest is older than it, or it does not belong here")
)

// checkTables checks that each table in use exists and is the right one.
func (s *survey) checkTables() {
	reader := newTableReader(s.options)
	for _, id := range s.manifest.inUse() {
		name := fmt.Sprintf("%06d.sst", id.number)
		if !s.has(name) {
			if !s.manifest.tables[id].virtual {
				s.fault(name, errMissing)
			}
		} else if err := reader.checkEnds(s.path(name), s.manifest.tables[id]); err != nil {
			s.fault(name, err)
		}
	}
}

// inUse returns the tables in use by number.
func (m *manifest) inUse() []tableID {
	ids := make([]tableID, 0, len(m.tables))
	for id := range m.tables {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b tableID) int { return int(a.number) - int(b.number) })
	return ids
}

func (s *survey) has(name string) bool {
	return slices.ContainsFunc(s.files, func(f storeFile) bool { return f.name == name })
}

// checkStrangers adds a fault for each file that a crash may leave and a close may not.
func (s *survey) checkStrangers() {
	for _, f := range s.strangers() {
		s.fault(f.name, errStranger)
	}
}

// strangers returns the tables that the manifest never named, and the logs that the
// manifest needs and the head does not know.
func (s *survey) strangers() (strangers []storeFile) {
	for _, f := range s.files {
		switch f.kind {
		case kindTable, kindBlob:
			if !s.manifest.known[f.number] {
				strangers = append(strangers, f)
			}
		case kindLog:
			if f.number >= s.manifest.minLog && !s.strict && !slices.Contains(s.head.logs, f.number) {
				strangers = append(strangers, f)
			}
		}
	}
	return strangers
}

// checkLogs reads the logs that are needed and checks that they contain all acknowledged
// changes.
func (s *survey) checkLogs() (err error) {
	m := s.manifest
	s.logs, err = scanLogs(s.disk, s.dir, m.minLog, s.strict)
	if err != nil {
		return err
	}
	s.faults = append(s.faults, s.logs.faults...)
	if s.strict {
		return nil
	}
	for _, n := range s.head.logs {
		if name := fmt.Sprintf("%06d.log", n); n >= m.minLog && !s.has(name) {
			s.fault(name, errMissing)
		}
	}
	if h := &s.head; h.acked > 0 && h.ackedIn >= m.minLog && s.logs.end < h.acked {
		s.fault(fmt.Sprintf("%06d.log", h.ackedIn), fmt.Errorf("changes up to %d were acknowledged, and the logs end at %d", h.acked, s.logs.end))
	}
	return nil
}

// tidy reports whether the folder has only files that the store needs.
func (s *survey) tidy() bool {
	return s.manifest != nil && len(s.faults) == 0 && len(s.strangers()) == 0
}
