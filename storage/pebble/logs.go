package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"

	"gatepass/storage"
)

// batchHeader is the size of the header of each record of a log: the sequence number of its
// first change and the number of changes.
const batchHeader = 8 + 4

// logScan is the result of reading a store's logs.
type logScan struct {
	// records counts the records that could be read. end is the sequence number after the
	// last, 0 if there is none.
	records int
	end     uint64
	faults  []storage.Fault
}

// scanLogs reads the logs from number first on, in the order in which Pebble replays them.
// If strict, a whole record after an unreadable one is damage even if nothing proves that
// the latter was synced.
func scanLogs(disk vfs.FS, dir string, first uint64, strict bool) (s logScan, err error) {
	logs, err := wal.Scan(wal.Dir{FS: disk, Dirname: dir})
	if err != nil {
		return s, err
	}
	logs = slices.DeleteFunc(logs, func(l wal.LogicalLog) bool { return uint64(l.Num) < first })
	for i, l := range logs {
		_, path := l.SegmentLocation(0)
		name := disk.PathBase(path)
		stop := s.scan(name, l)
		switch {
		case errors.Is(stop, io.EOF):
		case errors.Is(stop, record.ErrUnexpectedEOF) && i == len(logs)-1:
			// The end of the newest log may be torn.
		case damagedLog(stop):
			s.fault(name, "a record of it cannot be read")
		default:
			return s, fmt.Errorf("%s: %w", name, stop)
		}
		raw, err := readFile(disk, path)
		if err != nil {
			return s, err
		}
		if at, ok := recordsBehind(raw, uint32(l.Num), strict); ok {
			s.fault(name, fmt.Sprintf("what stands at byte %d cannot be read, and more records lie behind it", at))
		}
	}
	return s, nil
}

func damagedLog(err error) bool {
	return errors.Is(err, record.ErrUnexpectedEOF) || errors.Is(err, record.ErrInvalidChunk) ||
		errors.Is(err, record.ErrZeroedChunk) || errors.Is(err, errBatch)
}

func (s *logScan) fault(file, problem string) {
	s.faults = append(s.faults, storage.Fault{File: file, Problem: problem})
}

var errBatch = errors.New("malformed batch")

// scan reads one log until it ends or cannot be read. The error is io.EOF for a whole log.
func (s *logScan) scan(name string, l wal.LogicalLog) error {
	r := l.OpenForRead()
	defer r.Close()
	for {
		rec, _, err := r.NextRecord()
		if err != nil {
			return err
		}
		batch, err := io.ReadAll(rec)
		if err != nil {
			return err
		}
		if len(batch) < batchHeader {
			return errBatch
		}
		sequence, count := order.Uint64(batch), uint64(order.Uint32(batch[8:]))
		if s.records > 0 && sequence != s.end {
			s.fault(name, fmt.Sprintf("changes %d to %d are missing", s.end, sequence))
		}
		s.records++
		s.end = sequence + count
	}
}

// A log is a sequence of chunks in blocks: sum 4, size 2, kind 1, low bits of the
// log's number 4, and where it says so how much of the log was synced when it was
// written 8. A chunk never crosses the end of a block.
const (
	logBlock     = 32 << 10
	chunkHeader  = 4 + 2 + 1 + 4
	syncedHeader = chunkHeader + 8
	// Kinds of chunks. Of each four the first two begin a record.
	firstNumberedChunk = 5
	firstSyncedChunk   = 9
	lastChunkKind      = 12
)

// chunk is a chunk that was found whole.
type chunk struct {
	end      int    // offset after it
	begins   bool   // a record begins with it
	finishes bool   // a record ends with it
	synced   uint64 // how much of the log was synced before it was written
	payload  []byte
}

// chunkAt reads the chunk at an offset of a log; ok is false if there is no whole one.
func chunkAt(raw []byte, at int, number uint32) (c chunk, ok bool) {
	block := raw[:min(len(raw), at-at%logBlock+logBlock)]
	if at+chunkHeader > len(block) {
		return c, false
	}
	kind, header := block[at+6], chunkHeader
	if kind < firstNumberedChunk || kind > lastChunkKind || order.Uint32(block[at+7:]) != number {
		return c, false
	}
	// Of each four kinds: a whole record, its first, a middle and its last part.
	part := (kind - firstNumberedChunk) % 4
	c.begins, c.finishes = part < 2, part%3 == 0
	if kind >= firstSyncedChunk {
		header = syncedHeader
	}
	c.end = at + header + int(order.Uint16(block[at+4:]))
	if c.end > len(block) || maskedChecksum(block[at+6:c.end]) != order.Uint32(block[at:]) {
		return c, false
	}
	if kind >= firstSyncedChunk {
		c.synced = order.Uint64(block[at+chunkHeader:])
	}
	c.payload = block[at+header : c.end]
	return c, true
}

// maskedChecksum returns the checksum of a chunk as Pebble stores it.
func maskedChecksum(b []byte) uint32 {
	c := checksum(b)
	return (c>>15 | c<<17) + 0xa282ead8
}

// ends reports whether the mark of a log's end is at an offset.
func ends(raw []byte, at int, number uint32) bool {
	var mark [chunkHeader]byte
	mark[6] = firstNumberedChunk
	order.PutUint32(mark[7:], number+1)
	return bytes.HasPrefix(raw[at:], mark[:])
}

// recordsBehind finds the first chunk that cannot be read, and reports whether a chunk
// after it proves that it was once readable: one that was written when the first was
// already synced, or, if strict, any that begins a record.
func recordsBehind(raw []byte, number uint32, strict bool) (at int, found bool) {
	for at < len(raw) {
		c, ok := chunkAt(raw, at, number)
		if ok {
			at = c.end
			continue
		}
		if ends(raw, at, number) {
			return at, false
		}
		rest := raw[at:min(len(raw), at-at%logBlock+logBlock)]
		if len(rest) >= syncedHeader || len(bytes.Trim(rest, "\x00")) > 0 {
			break
		}
		at += len(rest) // the end of a block, too short for a chunk
	}
	digits := order.AppendUint32(nil, number)
	for next := at + 1; next+7 < len(raw); next++ {
		i := bytes.Index(raw[next+7:], digits)
		if i < 0 {
			break
		}
		next += i
		if c, ok := chunkAt(raw, next, number); ok && (c.synced > uint64(at) || strict && c.begins) {
			return at, true
		}
	}
	return at, false
}
