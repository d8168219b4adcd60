package worlds

import "time"

// Member keeps a login server's copy of the list. It applies the manager's changes in
// order, detects a missed change, then asks for the whole list, and passes every valid
// entry to the List. It belongs to the List's goroutine. Times are milliseconds of one
// monotonic clock.
//
// It follows the greatest epoch that it has heard of. It ignores a replaced leader that
// does not know yet, and its copy never goes back in version. While no manager is
// heard, the copy is still served and Stale is true.
type Member struct {
	options MemberOptions
	list    *List
	// copy has the valid entries of the manager.
	copy *roster
	// have is the version of the copy. want is the greatest version heard of.
	// Invariant: have ≤ want.
	have, want Version
	// filled: at least one snapshot has arrived.
	filled bool
	// met: at least one message of a manager has arrived.
	met bool
	// asked is when a snapshot was last requested. current is when the copy was last
	// known to be up to date.
	asked, current int64
	stale          bool
	stats          MemberStats
}

// MemberOptions configure a Member.
type MemberOptions struct {
	// StaleAfter is how long the copy may be unconfirmed before it counts as stale; 0
	// means 3 s.
	StaleAfter time.Duration
	// AskEvery is the time between two requests for a snapshot; 0 means 500 ms.
	AskEvery time.Duration
}

// EnsureDefaults sets zero fields to their defaults.
func (o *MemberOptions) EnsureDefaults() {
	if o.StaleAfter == 0 {
		o.StaleAfter = 3 * time.Second
	}
	if o.AskEvery == 0 {
		o.AskEvery = 500 * time.Millisecond
	}
}

// MemberNeeds says what the caller must do after a call.
type MemberNeeds struct {
	// AskSnapshot: request the whole list from the manager.
	AskSnapshot bool
	// Changed: clients see a difference. Push the list to them.
	Changed bool
	// Figures: clients see a difference only in how full a world is. The push can wait.
	Figures bool
	// NewEpoch: a new manager leads and does not know this node's keys. Announce them
	// again.
	NewEpoch bool
}

// MemberStats are the counters of a Member, for metrics.
type MemberStats struct {
	// Applied counts applied changes, Snapshots applied snapshots, Gaps detected gaps,
	// Ignored messages that were old or repeated, Invalid entries that were not shown.
	Applied, Snapshots, Gaps, Ignored, Invalid uint64
}

// NewMember returns a Member whose copy is empty and stale. Its first Tick requests a
// snapshot.
func NewMember(list *List, o MemberOptions) *Member {
	o.EnsureDefaults()
	return &Member{options: o, list: list, copy: &roster{}, stale: true, asked: -o.AskEvery.Milliseconds()}
}

// less reports whether v is older than o.
func (v Version) less(o Version) bool {
	return v.Epoch < o.Epoch || v.Epoch == o.Epoch && v.Seq < o.Seq
}

// Change handles a change of the manager.
func (m *Member) Change(c *Change, now int64) MemberNeeds {
	needs, ok := m.hear(c.Version)
	next := Version{m.have.Epoch, m.have.Seq + 1}
	switch {
	case !ok:
		return m.ask(needs, now)
	case !m.have.less(c.Version):
		m.stats.Ignored++
		return m.settle(needs, now)
	case !m.filled || c.Version != next:
		m.stats.Gaps++
		return m.settle(needs, now)
	}
	m.have = next
	m.stats.Applied++
	figures := false
	switch {
	case c.Reset:
		m.copy = &roster{}
	case c.Entry != nil:
		before := m.copy.entries[c.Entry.ID]
		m.replace(c.Entry)
		figures = before.sameBut(m.copy.entries[c.Entry.ID])
	default:
		m.stats.Invalid++
	}
	changed := m.show()
	needs.Changed, needs.Figures = changed && !figures, changed && figures
	return m.settle(needs, now)
}

// sameBut reports whether e and o differ at most in the figures of heartbeats. Either
// may be nil.
func (e *Entry) sameBut(o *Entry) bool { return e != nil && o != nil && e.World.equal(&o.World) }

// Snapshot handles a whole list. It copies the entries and does not keep s.
func (m *Member) Snapshot(s *Snapshot, now int64) MemberNeeds {
	needs, ok := m.hear(s.Version)
	switch {
	case !ok:
		return m.ask(needs, now)
	case s.Version.less(m.have) || s.Version == m.have && m.filled:
		m.stats.Ignored++
		return m.settle(needs, now)
	}
	m.have, m.filled = s.Version, true
	m.stats.Snapshots++
	older := m.copy
	m.copy = &roster{}
	for i := range s.Entries {
		m.take(&s.Entries[i], older)
	}
	needs.Changed = m.show()
	return m.settle(needs, now)
}

// Pulse handles a sign of life, which shows whether a change was missed.
func (m *Member) Pulse(p *Pulse, now int64) MemberNeeds {
	needs, ok := m.hear(p.Version)
	if !ok {
		return m.ask(needs, now)
	}
	return m.settle(needs, now)
}

// Tick passes in the time. Call it several times per AskEvery.
func (m *Member) Tick(now int64) MemberNeeds {
	m.stale = m.stale || now-m.current >= m.options.StaleAfter.Milliseconds()
	return m.ask(MemberNeeds{}, now)
}

// hear records a version of a manager. ok is false if that manager no longer leads.
func (m *Member) hear(v Version) (needs MemberNeeds, ok bool) {
	if m.met && v.Epoch < m.want.Epoch {
		m.stats.Ignored++
		return needs, false
	}
	needs.NewEpoch = !m.met || v.Epoch > m.want.Epoch
	m.met = true
	if m.want.less(v) {
		m.want = v
	}
	return needs, true
}

// lacks reports whether the copy is older than what the manager has sent.
func (m *Member) lacks() bool { return !m.filled || m.have.less(m.want) }

// settle completes the handling of a message of the leading manager.
func (m *Member) settle(needs MemberNeeds, now int64) MemberNeeds {
	if !m.lacks() {
		m.current, m.stale = now, false
	}
	return m.ask(needs, now)
}

// ask adds the request for a snapshot, if one is needed and due.
func (m *Member) ask(needs MemberNeeds, now int64) MemberNeeds {
	if m.lacks() && now-m.asked >= m.options.AskEvery.Milliseconds() {
		m.asked = now
		needs.AskSnapshot = true
	}
	return needs
}

// replace stores the new state of one world.
func (m *Member) replace(e *Entry) {
	older := m.copy
	m.copy = &roster{}
	for id, o := range older.entries {
		if o != nil && id != int(e.ID) {
			m.copy.entries[id] = o
			m.copy.networks = o.addNetworks(m.copy.networks)
		}
	}
	m.take(e, older)
}

// take adds a copy of e. If e is invalid, it keeps the world's earlier entry, which is
// better for players than no entry.
func (m *Member) take(e *Entry, older *roster) {
	fresh := *e
	if m.copy.add(&fresh) == nil {
		return
	}
	m.stats.Invalid++
	if before := older.entries[e.ID]; before != nil {
		_ = m.copy.add(before) // fails if it conflicts with newer entries or is there already
	}
}

// show passes the copy to the list and reports whether clients see a difference.
func (m *Member) show() bool {
	changed, err := m.list.Apply(m.copy.all())
	if err != nil {
		panic("worlds: the list refuses a valid copy: " + err.Error())
	}
	return changed
}

// Stale reports, as of the last Tick, whether the copy has been unconfirmed for
// StaleAfter: no manager is heard, or missed changes do not arrive.
func (m *Member) Stale() bool { return m.stale }

// Version returns the version of the copy.
func (m *Member) Version() Version { return m.have }

// Entries returns the copy by id. The caller owns the slice.
func (m *Member) Entries() []Entry { return m.copy.all() }

// Stats returns the counts so far.
func (m *Member) Stats() MemberStats { return m.stats }
