package server

import (
	"fmt"
	"sync"

	"gatepass/codec"
)

// turnBuffer is the buffer in which a turn is read and framed. The pieces of the file are as
// far apart as the frames need, so that no data is moved.
//
//	┌──────┬────────────┬──────┬──────┬────────────┬──────┬──
//	│ head │ data       │ tail │ head │ data       │ tail │ …
//	└──────┴────────────┴──────┴──────┴────────────┴──────┴──
//
// It belongs to the goroutine that holds the turn.
type turnBuffer struct {
	bytes  [turnSize]byte
	pieces [][]byte // of the data, in bytes
	ends   []int    // of the frames, in bytes
}

// turn is a part of a file on its way from a reader to a reactor.
type turn struct {
	request
	buffer *turnBuffer
	err    error // why the buffer is empty
	done   int   // bytes of the file that were sent
}

// load reads the turn. A panic of the source counts as a read error.
func (t *turn) load() {
	defer func() {
		if p := recover(); p != nil {
			t.err = fmt.Errorf("server: panic in the source of a transfer: %T", p)
		}
	}()
	b := t.buffer
	b.pieces = b.pieces[:0]
	for at, left := t.frame.Head, t.most; left > 0; at += t.frame.Size() {
		n := min(left, t.frame.Data)
		b.pieces = append(b.pieces, b.bytes[at:at+n])
		left -= n
	}
	t.err = t.source.ReadVector(b.pieces, int64(t.offset))
}

// build makes frames of the data that was read and returns them as one slice. When a frame is
// shorter than its maximum, the frames after it may move forward. Reactor.
func (t *turn) build(by Framer) []byte {
	b, size, end := t.buffer, t.frame.Size(), 0
	b.ends = b.ends[:0]
	for done := 0; done < t.most; done += t.frame.Data {
		at := len(b.ends) * size
		n := by.FrameFile(b.bytes[at:at+size], t.offset+uint64(done), min(t.most-done, t.frame.Data))
		if n < 1 || n > size {
			panic("server: a frame of a file has no length that it can have")
		}
		if at != end {
			copy(b.bytes[end:], b.bytes[at:at+n])
		}
		end += n
		b.ends = append(b.ends, end)
	}
	return b.bytes[:end]
}

// account returns how many frames were begun when the socket took so many bytes, and where the
// last of them ends. If that frame was cut, its end is beyond taken.
func (t *turn) account(taken int) (begun, end int) {
	for end < taken {
		end = t.buffer.ends[begun]
		begun++
	}
	return begun, end
}

// turnBox holds what the pump has for one reactor: turns to send, handles of connections that
// are writable again, and a request to look for stalled clients. The pump adds, the reactor
// takes. Its size is bounded by the number of turn buffers and of waiting connections.
type turnBox struct {
	mu        sync.Mutex
	turns     []turn
	writable  []codec.Conn
	sweep     bool
	scheduled bool // a task to take it is queued or runs

	spare []codec.Conn // owned by the reactor between two takes
}

// scheduleLocked returns whether the caller has to send a task, and records that one is
// scheduled. The caller holds mu.
func (b *turnBox) scheduleLocked() bool {
	first := !b.scheduled
	b.scheduled = true
	return first
}

// give hands a turn over. send says that the caller has to send the task.
func (b *turnBox) give(t turn) (send bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns = append(b.turns, t)
	return b.scheduleLocked()
}

// giveWritable hands over the handles that belong to the reactor.
func (b *turnBox) giveWritable(conns []codec.Conn, reactor int) (send bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.writable)
	for _, conn := range conns {
		if conn.Reactor() == reactor {
			b.writable = append(b.writable, conn)
		}
	}
	return len(b.writable) > before && b.scheduleLocked()
}

// giveSweep requests a sweep.
func (b *turnBox) giveSweep() (send bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep = true
	return b.scheduleLocked()
}

// take returns at most one turn, all handles and the sweep request. The reactor owns the
// handles until the next take.
func (b *turnBox) take() (t turn, writable []codec.Conn, sweep bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.turns) > 0 {
		t = b.turns[0]
		last := copy(b.turns, b.turns[1:]) // a few elements at most
		b.turns[last] = turn{}
		b.turns = b.turns[:last]
	}
	writable, sweep = b.writable, b.sweep
	b.writable, b.spare, b.sweep = b.spare[:0], writable, false
	return t, writable, sweep
}

// more returns whether there is more to take. If not, the task counts as ended.
func (b *turnBox) more() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scheduled = len(b.turns) > 0 || len(b.writable) > 0 || b.sweep
	return b.scheduled
}
