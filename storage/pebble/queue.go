package pebble

import (
	"sync"

	"gatepass/storage"
)

// queue holds the requests for one kind of worker (reads, or writes) in their order. It is
// bounded, and requests that do not fit stay with the caller. A request counts until it is
// answered, so the bound includes the requests being worked on.
type queue struct {
	limit    int
	patience int // this many requests wake a worker even if none is urgent

	mu       sync.Mutex
	runnable sync.Cond
	ops      []storage.Op // ops[head:] wait
	head     int
	pending  int  // waiting or being worked on. Invariant: ≤ limit
	ready    bool // a worker should look
	closed   bool
	refused  uint64
}

func newQueue(limit, patience int) *queue {
	q := &queue{limit: limit, patience: patience}
	q.runnable.L = &q.mu
	return q
}

// push takes as many of ops as there is room for. Requests that are not urgent wake no
// worker before there are many of them. dozing reports that these are the first such
// requests; the caller must then call wake later. Any goroutine.
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
		// Move up, since under constant load the queue is never empty and would grow.
		left := copy(q.ops, q.ops[q.head:])
		clear(q.ops[left:])
		q.ops, q.head = q.ops[:left], 0
	}
	q.ops = append(q.ops, ops...)
	q.pending += len(ops)
}

// wake makes a worker look at the queue even if nothing is urgent. Any goroutine.
func (q *queue) wake() {
	q.mu.Lock()
	q.ready = true
	q.mu.Unlock()
	q.runnable.Signal()
}

// take waits until there is something to do and moves up to limit requests to the end of
// dst. After a wake it may move none. It returns false once the queue is closed and empty.
// Workers only.
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
	// Requests point to accounts, which must not stay reachable from here.
	clear(q.ops[q.head : q.head+n])
	q.head += n
	if q.head == len(q.ops) {
		q.ops, q.head, q.ready = q.ops[:0], 0, false
		return dst, true
	}
	// There is work for a second worker.
	q.runnable.Signal()
	return dst, true
}

// answered makes room for n requests. Workers only.
func (q *queue) answered(n int) {
	q.mu.Lock()
	q.pending -= n
	q.mu.Unlock()
}

// close makes push take nothing and wakes all workers.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.runnable.Broadcast()
}

// depth returns how many requests are pending and how many were refused so far.
func (q *queue) depth() (pending int, refused uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pending, q.refused
}
