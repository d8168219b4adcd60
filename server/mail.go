package server

import (
	"sync"
	"sync/atomic"
)

// mail holds the entries that the sender has for one reactor. The sender adds, the reactor
// takes; both only swap slices under the lock. The limit of the send queue bounds its size.
//
// A reactor sets busy while it is in one of its callbacks, and checks its mail at the end of
// the callback. The sender sends a task, which costs two system calls, only to a reactor that
// is not busy. The sender writes mail and then reads busy; the reactor writes busy and then
// reads mail. At least one of the two therefore sees the other's write.
type mail struct {
	busy atomic.Bool

	mu        sync.Mutex
	filling   []Outgoing
	scheduled bool // a task to take it is on its way to the reactor

	spare []Outgoing // owned by the reactor between two takes
}

// give hands the entries over and returns a slice for the next entries. send says that the
// caller has to send the task that takes the mail. Sender.
func (m *mail) give(group []Outgoing) (empty []Outgoing, send bool) {
	m.mu.Lock()
	if len(m.filling) == 0 {
		m.filling, group = group, m.filling
	} else {
		m.filling = append(m.filling, group...)
		clear(group)
		group = group[:0]
	}
	m.mu.Unlock()
	return group, !m.busy.Load() && m.schedule()
}

// schedule returns whether a task is needed, and records that the caller sends it.
func (m *mail) schedule() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := !m.scheduled
	m.scheduled = true
	return first
}

// done ends a callback. True means that mail has arrived meanwhile. Reactor.
func (m *mail) done() bool {
	m.busy.Store(false)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.filling) > 0
}

// take returns all entries. The reactor owns the slice until the next take. Reactor.
func (m *mail) take() []Outgoing {
	clear(m.spare)
	m.mu.Lock()
	batch := m.filling
	m.filling, m.scheduled = m.spare[:0], false
	m.mu.Unlock()
	m.spare = batch
	return batch
}
