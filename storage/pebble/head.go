package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// headFile is the store's own record of what the folder must hold. Pebble ignores it.
const headFile = "gatepass.head"

// The head is stored in two slots that are written in turn, each in a block of its own, so
// that an interrupted write leaves the other.
const (
	headSlot  = 4096
	headSize  = 2 * headSlot
	headLogs  = 24 // how many logs it remembers
	headBytes = 4 + 1 + 1 + 8 + 2*(8+8+4) + 2*8 + 1 + headLogs*8 + 4
)

// order is the byte order of everything in the folder that is not Pebble's text.
var order = binary.LittleEndian

var headMagic = [4]byte{'g', 'p', 'h', '1'}

// headState says in which state the store was left.
type headState uint8

const (
	// stateCreating: nothing was ever acknowledged.
	stateCreating headState = iota + 1
	// stateOpen: the store is open, or was not closed.
	stateOpen
	// stateClosed: the store was closed and left only files that it needs.
	stateClosed
)

// manifestMark describes the part of a manifest that was synced.
type manifestMark struct {
	number, size uint64
	sum          uint32 // CRC-32C of the first size bytes
}

// isBeginningOf reports whether the manifest with a number still begins with that part.
func (m manifestMark) isBeginningOf(number uint64, raw []byte) bool {
	return m.number != 0 && m.number == number && uint64(len(raw)) >= m.size && checksum(raw[:m.size]) == m.sum
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// head is what opening compares the store with. Each statement is written only after it
// has become true on the disk, so an undamaged store always satisfies it.
type head struct {
	state      headState
	generation uint64
	// current is the manifest in use; next is one that was synced and may be in use
	// already.
	current, next manifestMark
	// ackedIn is a log that is not newer than the one with the last synced group. acked
	// is the sequence number after that group. While the log is needed, the logs must
	// reach that number.
	ackedIn, acked uint64
	// logs are the logs that were created last, in order. Those that the manifest still
	// needs must exist.
	logs []uint64
}

// append appends the slot of h.
func (h *head) append(b []byte) []byte {
	b = append(b, headMagic[:]...)
	b = append(b, 1, byte(h.state))
	b = order.AppendUint64(b, h.generation)
	for _, m := range []manifestMark{h.current, h.next} {
		b = order.AppendUint64(b, m.number)
		b = order.AppendUint64(b, m.size)
		b = order.AppendUint32(b, m.sum)
	}
	b = order.AppendUint64(b, h.ackedIn)
	b = order.AppendUint64(b, h.acked)
	b = append(b, byte(len(h.logs)))
	for i := range headLogs {
		n := uint64(0)
		if i < len(h.logs) {
			n = h.logs[i]
		}
		b = order.AppendUint64(b, n)
	}
	return order.AppendUint32(b, checksum(b))
}

// parseHead reads a slot; ok is false if it is not whole.
func parseHead(b []byte) (h head, ok bool) {
	if len(b) < headBytes || [4]byte(b) != headMagic || checksum(b[:headBytes-4]) != order.Uint32(b[headBytes-4:]) {
		return head{}, false
	}
	at := 6 // behind magic, version and state
	next := func() uint64 {
		at += 8
		return order.Uint64(b[at-8:])
	}
	h.state, h.generation = headState(b[5]), next()
	for _, m := range []*manifestMark{&h.current, &h.next} {
		m.number, m.size = next(), next()
		m.sum = order.Uint32(b[at:])
		at += 4
	}
	h.ackedIn, h.acked = next(), next()
	n := int(b[at])
	at++
	for range min(n, headLogs) {
		h.logs = append(h.logs, next())
	}
	return h, b[4] == 1 && n <= headLogs && h.state >= stateCreating && h.state <= stateClosed
}

var errHead = errors.New("neither of its two copies can be read")

// readHead reads the newer of the whole slots; found is false if there is no such file.
func readHead(disk vfs.FS, dir string) (h head, found bool, err error) {
	raw, err := readFile(disk, disk.PathJoin(dir, headFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return head{}, false, nil
	case err != nil:
		return head{}, true, err
	}
	err = errHead
	for at := 0; at < headSize && at < len(raw); at += headSlot {
		if slot, ok := parseHead(raw[at:]); ok && (err != nil || slot.generation > h.generation) {
			h, err = slot, nil
		}
	}
	return h, true, err
}

// createHead creates the file durably, with both slots filled.
func createHead(disk vfs.FS, dir string, h head) error {
	path := disk.PathJoin(dir, headFile)
	err := writeWhole(disk, path+".new", h.slots())
	if err == nil {
		err = disk.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(disk, dir)
	}
	if err != nil {
		return fmt.Errorf("storage: %s: %w", headFile, err)
	}
	return nil
}

// slots is the content of a new file.
func (h *head) slots() []byte {
	b := make([]byte, headSize)
	h.append(b[h.slot():h.slot()])
	older := *h
	older.generation--
	older.append(b[older.slot():older.slot()])
	return b
}

// slot is where h is written.
func (h *head) slot() int { return int(h.generation%2) * headSlot }

// writeWhole writes a file and syncs it.
func writeWhole(disk vfs.FS, path string, content []byte) error {
	f, err := disk.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(disk vfs.FS, dir string) error {
	d, err := disk.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
