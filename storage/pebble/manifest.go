package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Tags of a manifest's edits, as Pebble writes them. An edit is a sequence of
// tags, each with fields of its own; a field is a varint or a counted string.
const (
	tagComparer       = 1
	tagLogNumber      = 2
	tagNextFile       = 3
	tagLastSequence   = 4
	tagCompactPointer = 5
	tagDeletedTable   = 6
	tagPrevLog        = 9
	tagNewTable2      = 100
	tagNewTable4      = 103
	tagNewTable5      = 104
	tagNewBacking     = 105
	tagRemovedBacking = 106
	tagNewBlob        = 107
	tagDeletedBlob    = 108

	customEnd            = 1
	customVirtual        = 66
	customBlobReferences = 69

	// boundsHavePoints is set where a table of the newest kind has point keys.
	boundsHavePoints = 1
)

var errEdit = errors.New("an entry of it makes no sense")

// tableEntry is what the manifest says about a table in use.
type tableEntry struct {
	number, size      uint64
	smallest, largest []byte // keys with Pebble's 8 bytes behind them
	virtual           bool   // lies inside another file
}

// tableID identifies an entry. A table that moves to another level is in two levels for a
// moment.
type tableID struct{ level, number uint64 }

// manifest is the content of a manifest. Pebble cannot read it for us, since it takes
// entries that it cannot read for the end.
type manifest struct {
	tables map[tableID]tableEntry
	// known are the numbers of all tables and blob files that it ever named.
	known map[uint64]bool
	// backings are files that only virtual tables are in.
	backings map[uint64]bool
	// minLog is the first log that is still needed, lastSequence the highest
	// number given to a change when it was last written.
	minLog, lastSequence uint64
	// read is the size of the part that can be read, size that of the file.
	read, size int64
}

// readManifest reads a manifest as far as it can be read. The error says that an entry
// cannot be parsed.
func readManifest(raw []byte) (*manifest, error) {
	m := &manifest{tables: map[tableID]tableEntry{}, known: map[uint64]bool{}, backings: map[uint64]bool{}}
	r := record.NewReader(bytes.NewReader(raw), 0)
	for {
		m.read = r.Offset()
		edit, err := r.Next()
		var body []byte
		if err == nil {
			body, err = io.ReadAll(edit)
		}
		if err != nil {
			break // a torn end, or damage: the caller decides by read and size
		}
		if err := m.apply(body); err != nil {
			return nil, fmt.Errorf("%w (entry at byte %d)", err, m.read)
		}
	}
	m.size = int64(len(raw))
	return m, nil
}

// readFile reads a whole file.
func readFile(fs vfs.FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// apply applies one edit.
func (m *manifest) apply(edit []byte) error {
	d := &editDecoder{left: edit}
	var added []tableID
	entries := map[tableID]tableEntry{}
	for len(d.left) > 0 && !d.bad {
		switch tag := d.varint(); tag {
		case tagComparer:
			d.bytes()
		case tagLogNumber:
			m.minLog = d.varint()
		case tagNextFile, tagPrevLog:
			d.varint()
		case tagLastSequence:
			m.lastSequence = d.varint()
		case tagCompactPointer:
			d.varint()
			d.bytes()
		case tagDeletedTable:
			delete(m.tables, tableID{d.varint(), d.varint()})
		case tagNewTable2, tagNewTable4, tagNewTable5:
			id, e := d.table(tag, m)
			added, entries[id] = append(added, id), e
		case tagNewBacking:
			n := d.varint()
			d.varint()
			m.known[n], m.backings[n] = true, true
		case tagRemovedBacking:
			delete(m.backings, d.varint())
		case tagNewBlob:
			d.varint()
			m.known[d.varint()] = true
			d.varint()
			d.varint()
			d.varint()
		case tagDeletedBlob:
			d.varint()
			d.varint()
		default:
			return fmt.Errorf("%w: unknown tag %d", errEdit, tag)
		}
	}
	// An edit's removals come before its additions, whatever their order in it.
	for _, id := range added {
		m.tables[id] = entries[id]
	}
	if d.bad {
		return errEdit
	}
	return nil
}

// table reads what follows the tag of a new table.
func (d *editDecoder) table(tag uint64, m *manifest) (tableID, tableEntry) {
	id := tableID{level: d.varint(), number: d.varint()}
	e := tableEntry{number: id.number, size: d.varint()}
	m.known[e.number] = true
	points := true
	if tag == tagNewTable5 {
		points = d.byte()&boundsHavePoints != 0
	}
	if points {
		e.smallest, e.largest = bytes.Clone(d.bytes()), bytes.Clone(d.bytes())
	}
	if tag == tagNewTable5 {
		d.bytes()
		d.bytes()
	}
	d.varint()
	d.varint()
	for tag != tagNewTable2 && !d.bad {
		switch custom := d.varint(); custom {
		case customEnd:
			return id, e
		case customVirtual:
			e.virtual = true
			m.known[d.varint()] = true
		case customBlobReferences:
			d.varint()
			for n := d.varint(); n > 0 && !d.bad; n-- {
				d.varint()
				d.varint()
			}
		default:
			d.bytes()
		}
	}
	return id, e
}

// editDecoder reads the fields of an edit. After one that does not fit all further ones are
// zero.
type editDecoder struct {
	left []byte
	bad  bool
}

func (d *editDecoder) varint() uint64 {
	v, n := binary.Uvarint(d.left)
	if n <= 0 {
		d.bad, d.left = true, nil
		return 0
	}
	d.left = d.left[n:]
	return v
}

func (d *editDecoder) byte() byte {
	if len(d.left) == 0 {
		d.bad = true
		return 0
	}
	b := d.left[0]
	d.left = d.left[1:]
	return b
}

func (d *editDecoder) bytes() []byte {
	n := d.varint()
	if n > uint64(len(d.left)) {
		d.bad, d.left = true, nil
		return nil
	}
	b := d.left[:n]
	d.left = d.left[n:]
	return b
}
