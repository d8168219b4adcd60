package server

import (
	"sync"
	"sync/atomic"
)

// mail is what the sender has for one reactor. The sender gives, the reactor
// takes; both only swap slices under the lock. It is bounded by what the send
// queue lets in.
//
// A reactor in one of its callbacks says so (busy) and looks into its mail when
// it is done; only a reactor that is not needs to be sent a task, which costs
// two system calls. Whoever writes first, mail or busy, is seen by the other.
type mail struct {
	busy atomic.Bool

	mu        sync.Mutex
	filling   []Outgoing
	scheduled bool // a task to take it is on its way to the reactor

	spare []Outgoing // the reactor's, between two takes
}

// give hands the entries over and returns a slice to gather the next in. send
// says that the caller has to send the task that takes the mail. Sender.
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

// schedule tells whether a task is needed, and then counts on its being sent.
func (m *mail) schedule() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := !m.scheduled
	m.scheduled = true
	return first
}

// done ends a callback; true means that mail came meanwhile. Reactor.
func (m *mail) done() bool {
	m.busy.Store(false)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.filling) > 0
}

// take returns everything given. The slice is the reactor's until the next
// take. Reactor.
func (m *mail) take() []Outgoing {
	clear(m.spare)
	m.mu.Lock()
	batch := m.filling
	m.filling, m.scheduled = m.spare[:0], false
	m.mu.Unlock()
	m.spare = batch
	return batch
}
