package server

import (
	"fmt"
	"sync"

	"gatepass/codec"
)

// turnBuffer is where a turn is read and framed: the pieces of the file stand as far
// apart as the frames need it, so that nothing is moved.
//
//	┌──────┬────────────┬──────┬──────┬────────────┬──────┬──
//	│ head │ data       │ tail │ head │ data       │ tail │ …
//	└──────┴────────────┴──────┴──────┴────────────┴──────┴──
//
// It belongs to who has the turn.
type turnBuffer struct {
	bytes  [turnSize]byte
	pieces [][]byte // of the data, in bytes
	ends   []int    // of the frames, in bytes
}

// turn is a stretch of a file on its way from a reader to a reactor.
type turn struct {
	request
	buffer *turnBuffer
	err    error // why there is nothing in the buffer
	done   int   // bytes of the file that were sent
}

// load reads the turn. A panic of the source is a file that could not be read.
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

// build makes frames of what was read and returns them in one piece. Frames that are
// shorter than they may be move up. Reactor.
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

// account tells how many frames were begun when so many bytes were taken, and where
// the last one of them ends: beyond taken if it was cut.
func (t *turn) account(taken int) (begun, end int) {
	for end < taken {
		end = t.buffer.ends[begun]
		begun++
	}
	return begun, end
}

// turnBox is what the pump has for one reactor: turns to be sent, handles of
// connections that can be written to again, and the word that it is time to look for
// clients that have stalled. The pump gives, the reactor takes. It is bounded by the
// number of turn buffers and of connections that wait.
type turnBox struct {
	mu        sync.Mutex
	turns     []turn
	writable  []codec.Conn
	sweep     bool
	scheduled bool // a task to take it is on its way to the reactor, or under way

	spare []codec.Conn // the reactor's, between two takes
}

// scheduleLocked tells whether a task is needed, and then counts on its being sent. The
// caller holds mu.
func (b *turnBox) scheduleLocked() bool {
	first := !b.scheduled
	b.scheduled = true
	return first
}

// give hands a turn over; send says that the caller has to send the task.
func (b *turnBox) give(t turn) (send bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turns = append(b.turns, t)
	return b.scheduleLocked()
}

// giveWritable hands over those of the handles that are of the reactor.
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

// giveSweep asks for a sweep.
func (b *turnBox) giveSweep() (send bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep = true
	return b.scheduleLocked()
}

// take returns one turn, if there is any, and all the rest; the handles are the
// reactor's until the next take.
func (b *turnBox) take() (t turn, writable []codec.Conn, sweep bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.turns) > 0 {
		t = b.turns[0]
		last := copy(b.turns, b.turns[1:]) // of a handful
		b.turns[last] = turn{}
		b.turns = b.turns[:last]
	}
	writable, sweep = b.writable, b.sweep
	b.writable, b.spare, b.sweep = b.spare[:0], writable, false
	return t, writable, sweep
}

// more tells whether there is more to take; if not, the task has come to its end.
func (b *turnBox) more() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scheduled = len(b.turns) > 0 || len(b.writable) > 0 || b.sweep
	return b.scheduled
}
