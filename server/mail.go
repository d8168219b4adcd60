package server

import "sync"

// mail is what the sender has for one reactor. The sender gives, the reactor
// takes; both only swap slices under the lock.
//
// It is bounded by waiting: a sender that finds mailBound entries untaken waits
// for the reactor, the send queue fills, and the logic sees it there.
type mail struct {
	mu        sync.Mutex
	taken     *sync.Cond
	filling   []Outgoing
	scheduled bool // a task to take it is on its way to the reactor
	closed    bool // the reactor is gone

	spare []Outgoing // the reactor's, between two takes
}

// mailBound is how many entries may wait for one reactor before the sender
// does: enough for a broadcast to every connection a process can have.
const mailBound = 1 << 16

// give hands the entries over and returns a slice to gather the next in.
// Sender.
func (m *mail) give(group []Outgoing) []Outgoing {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.filling) >= mailBound && !m.closed {
		m.taken.Wait()
	}
	if m.closed {
		return group[:0]
	}
	if len(m.filling) == 0 {
		m.filling, group = group, m.filling
		return group
	}
	m.filling = append(m.filling, group...)
	clear(group)
	return group[:0]
}

// mark says whether the caller has to send the task that takes the mail.
// Sender.
func (m *mail) mark() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := !m.scheduled
	m.scheduled = true
	return first && !m.closed
}

// take returns everything given. The slice is the reactor's until the next
// take. Reactor.
func (m *mail) take() []Outgoing {
	clear(m.spare)
	m.mu.Lock()
	batch := m.filling
	m.filling, m.scheduled = m.spare[:0], false
	m.mu.Unlock()
	m.taken.Signal()
	m.spare = batch
	return batch
}

// close lets a waiting sender go: nothing will be taken any more.
func (m *mail) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.taken.Broadcast()
}
