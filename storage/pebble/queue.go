package pebble

import (
	"sync"

	"gatepass/storage"
)

// queue holds the requests of one kind of worker (reads, or writes) in the order
// in which they came. It is bounded: what does not fit is refused and stays with
// the caller. A request counts until it was answered, not only until a worker
// took it, so the bound also holds for what is in work.
type queue struct {
	limit    int
	patience int // so many requests that nobody waits for wake a worker all the same

	mu       sync.Mutex
	runnable sync.Cond
	ops      []storage.Op // ops[head:] wait
	head     int
	pending  int  // waiting or in work. Invariant: ≤ limit
	ready    bool // a worker should look
	closed   bool
	refused  uint64
}

func newQueue(limit, patience int) *queue {
	q := &queue{limit: limit, patience: patience}
	q.runnable.L = &q.mu
	return q
}

// push takes as many of ops as there is room for. Requests that are not urgent
// wake no worker before they are many; dozing tells that these are the first that
// wait like that, and that the caller should see to a later wake. Any goroutine.
func (q *queue) push(ops []storage.Op, urgent bool) (n int, dozing bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		n = min(len(ops), q.limit-q.pending)
	}
	q.refused += uint64(len(ops) - n)
	if n == 0 {
		return 0, false
	}
	waiting := len(q.ops) - q.head
	q.appendLocked(ops[:n])
	if !q.ready && (urgent || waiting+n >= q.patience) {
		q.ready = true
		q.runnable.Signal()
	}
	return n, !q.ready && waiting == 0
}

func (q *queue) appendLocked(ops []storage.Op) {
	if q.head > 0 && len(q.ops)+len(ops) > cap(q.ops) {
		// Move up instead of growing for ever under a load that never lets it run empty.
		left := copy(q.ops, q.ops[q.head:])
		clear(q.ops[left:])
		q.ops, q.head = q.ops[:left], 0
	}
	q.ops = append(q.ops, ops...)
	q.pending += len(ops)
}

// wake makes a worker look even if nothing urgent came. Any goroutine.
func (q *queue) wake() {
	q.mu.Lock()
	q.ready = true
	q.mu.Unlock()
	q.runnable.Signal()
}

// take waits until there is something to look at and moves up to limit requests
// to the end of dst. It may move none after a wake. Once the queue is closed and
// empty it reports false. Workers only.
func (q *queue) take(dst []storage.Op, limit int) ([]storage.Op, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.ready && !q.closed {
		q.runnable.Wait()
	}
	n := min(limit, len(q.ops)-q.head)
	if n == 0 && q.closed {
		return dst, false
	}
	dst = append(dst, q.ops[q.head:q.head+n]...)
	// Requests point to accounts: do not keep them alive from here.
	clear(q.ops[q.head : q.head+n])
	q.head += n
	if q.head == len(q.ops) {
		q.ops, q.head, q.ready = q.ops[:0], 0, false
		return dst, true
	}
	// Enough is left for a second worker, if there is one.
	q.runnable.Signal()
	return dst, true
}

// answered makes room for n requests. Workers only.
func (q *queue) answered(n int) {
	q.mu.Lock()
	q.pending -= n
	q.mu.Unlock()
}

// close refuses whatever comes from now on and wakes all workers.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.runnable.Broadcast()
}

// depth is how many requests are pending, and how many were ever refused.
func (q *queue) depth() (pending int, refused uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pending, q.refused
}
