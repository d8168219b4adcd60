package pebble

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// testChunk is a chunk with a whole record in it, as Pebble writes it.
func testChunk(number uint32, synced uint64, payload []byte) []byte {
	b := order.AppendUint32(nil, 0)
	b = order.AppendUint16(b, uint16(len(payload)))
	b = order.AppendUint32(append(b, firstSyncedChunk), number)
	b = append(order.AppendUint64(b, synced), payload...)
	order.PutUint32(b, maskedChecksum(b[6:]))
	return b
}

// testBatch is a record with count changes from a sequence number on.
func testBatch(sequence uint64, count uint32) []byte {
	return order.AppendUint32(order.AppendUint64(nil, sequence), count)
}

// Records after an unreadable one prove damage if they were written when that one was
// synced; if strict, always.
func TestRecordsBehind(t *testing.T) {
	size := len(testChunk(7, 0, testBatch(0, 1)))
	build := func(synced ...uint64) (raw []byte) {
		for i, s := range synced {
			raw = append(raw, testChunk(7, s, testBatch(uint64(i), 1))...)
		}
		return raw
	}
	flip := func(raw []byte, at int) []byte { return []byte(flipped(string(raw), at, 1)) }
	for name, c := range map[string]struct {
		raw            []byte
		strict, proven bool
	}{
		"whole":                           {build(0, 0, 0), false, false},
		"the last is unreadable":          {flip(build(0, 10, 20), 2*size+3), false, false},
		"others behind it, not synced":    {flip(build(0, 0, 0), size+3), true, false},
		"others behind it, synced":        {flip(build(0, 0, uint64(2*size)), size+3), true, true},
		"synced only up to it":            {flip(build(0, 0, uint64(size)), size+3), true, false},
		"of another log":                  {append(flip(build(0, 0), size+3), testChunk(6, 1000, testBatch(1, 1))...), false, false},
		"it became the mark of the end":   {flip(build(0, 0, uint64(2*size)), size+7), true, true},
		"behind the mark of the end":      {append(append(build(0), endMark(7)...), build(900)...), false, false},
		"zeros behind the last":           {append(build(0), make([]byte, 2*logBlock)...), false, false},
		"behind a hole of a block's size": {append(append(build(0), make([]byte, logBlock)...), build(uint64(size+1))...), true, true},
	} {
		if _, found := recordsBehind(c.raw, 7, true); found != c.strict {
			t.Errorf("%s, strict: %v", name, found)
		}
		if _, found := recordsBehind(c.raw, 7, false); found != c.proven {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func endMark(number uint32) []byte {
	mark := make([]byte, chunkHeader)
	mark[6] = firstNumberedChunk
	order.PutUint32(mark[7:], number+1)
	return mark
}

// Changes missing between records of one log, or between two logs, are found.
func TestScanLogs_Gap(t *testing.T) {
	log := func(number uint32, batches ...[]byte) (raw []byte) {
		for _, b := range batches {
			raw = append(raw, testChunk(number, 0, b)...)
		}
		return append(raw, endMark(number)...)
	}
	for name, c := range map[string]struct {
		first, second []byte
		faults        int
	}{
		"none":       {log(4, testBatch(10, 2), testBatch(12, 1)), log(5, testBatch(13, 3)), 0},
		"within one": {log(4, testBatch(10, 2), testBatch(13, 1)), log(5, testBatch(14, 3)), 1},
		"between":    {log(4, testBatch(10, 2), testBatch(12, 1)), log(5, testBatch(14, 3)), 1},
	} {
		fs := diskOf(t, map[string]string{"000004.log": string(c.first), "000005.log": string(c.second)})
		s, err := scanLogs(fs, damageDir, 0, false)
		if err != nil || len(s.faults) != c.faults || s.records != 3 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	fs := vfs.NewMem()
	if _, err := scanLogs(fs, damageDir, 0, false); err == nil || !strings.Contains(err.Error(), "exist") {
		t.Errorf("a folder that cannot be read: %v", err)
	}
}
