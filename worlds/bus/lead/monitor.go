package lead

import (
	"sync/atomic"
	"time"

	"gatepass/deadline"
	"gatepass/worlds"
)

// Monitor shows the counters of a manager. Its zero value is ready for use.
type Monitor struct {
	leads     atomic.Bool
	terms     atomic.Uint64
	stores    atomic.Uint64
	failures  atomic.Uint64
	failing   atomic.Int64 // since when writes fail, by deadline.Now; 0 if they do not
	dropped   atomic.Uint64
	twins     atomic.Uint64
	worlds    atomic.Pointer[worlds.ManagerStats]
	directory atomic.Pointer[worlds.DirectoryStats]
	logins    atomic.Int64
}

// ManagerStats are the counters of a manager. Worlds, Directory and Logins are up to a
// second old.
type ManagerStats struct {
	// Leads reports whether this manager leads; Worlds, Directory and Logins are zero if it
	// does not. Terms counts how often it has begun to lead.
	Leads bool
	Terms uint64
	// Stores counts changes of the list that were stored durably. StoreFailures counts
	// writes of the list or the lease that failed while the bus was connected.
	Stores, StoreFailures uint64
	// FailingSince is when writes began to fail, zero if they do not. The disk of the bus
	// is then probably full or broken.
	FailingSince time.Time
	// Dropped counts messages of nodes that sent more than their share.
	Dropped uint64
	// Twins counts heartbeats of login servers that share their name with another one.
	Twins     uint64
	Worlds    worlds.ManagerStats
	Directory worlds.DirectoryStats
	// Logins is the number of login servers that are heard.
	Logins int
}

// Stats reads the counters. It may be called from anywhere.
func (m *Monitor) Stats() ManagerStats {
	s := ManagerStats{Leads: m.leads.Load(), Terms: m.terms.Load(), Stores: m.stores.Load(), StoreFailures: m.failures.Load(), Dropped: m.dropped.Load(), Twins: m.twins.Load()}
	if since := m.failing.Load(); since != 0 {
		s.FailingSince = time.Now().Add(time.Duration(since) - deadline.Now())
	}
	if w, d := m.worlds.Load(), m.directory.Load(); s.Leads && w != nil && d != nil {
		s.Worlds, s.Directory, s.Logins = *w, *d, int(m.logins.Load())
	}
	return s
}

// failed notes that a write has failed.
func (m *Monitor) failed() {
	m.failures.Add(1)
	m.failing.CompareAndSwap(0, int64(deadline.Now()))
}
