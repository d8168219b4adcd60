package worlds

import "time"

// Member keeps a login server's copy of the list: it applies the manager's
// changes in their order, sees when one was missed, asks for the whole list
// then, and hands every valid entry to the List. It belongs to the List's
// goroutine. Times are milliseconds of one clock that never goes back.
//
// It follows the greatest epoch that it has heard of, so a leader that was
// replaced and does not know yet is not listened to, and its copy never goes back
// in version. While no manager is heard the copy is served as it is, and Stale.
type Member struct {
	options MemberOptions
	list    *List
	// copy is what the manager says, as far as it is valid.
	copy *roster
	// have is the version of the copy, want the greatest heard of.
	// Invariant: have ≤ want.
	have, want Version
	// filled: a snapshot has come at least once.
	filled bool
	// met: a manager was heard of at least once.
	met bool
	// asked is when a snapshot was last asked for, current when the copy was last
	// known to be the manager's.
	asked, current int64
	stale          bool
	stats          MemberStats
}

// MemberOptions configure a Member.
type MemberOptions struct {
	// StaleAfter is how long the copy may not be known to be the manager's before
	// it counts as stale; 0 is 3 s.
	StaleAfter time.Duration
	// AskEvery is the time between two asks for a snapshot; 0 is 500 ms.
	AskEvery time.Duration
}

// EnsureDefaults fills in what is 0.
func (o *MemberOptions) EnsureDefaults() {
	if o.StaleAfter == 0 {
		o.StaleAfter = 3 * time.Second
	}
	if o.AskEvery == 0 {
		o.AskEvery = 500 * time.Millisecond
	}
}

// MemberNeeds is what the caller has to do after a call.
type MemberNeeds struct {
	// AskSnapshot: ask the manager for its whole list.
	AskSnapshot bool
	// Changed: clients would see a difference; push the list to them.
	Changed bool
	// Figures: they would, but only in how full a world is; that can wait.
	Figures bool
	// NewEpoch: another manager leads, which knows nothing of this node's keys;
	// announce them anew.
	NewEpoch bool
}

// MemberStats count what a Member has seen, for metrics.
type MemberStats struct {
	// Applied changes and Snapshots, Gaps that were seen, Ignored messages that
	// were old or came twice, Invalid entries that were kept from clients.
	Applied, Snapshots, Gaps, Ignored, Invalid uint64
}

// NewMember makes one whose copy is empty and stale; its first Tick asks for a
// snapshot.
func NewMember(list *List, o MemberOptions) *Member {
	o.EnsureDefaults()
	return &Member{options: o, list: list, copy: &roster{}, stale: true, asked: -o.AskEvery.Milliseconds()}
}

// less tells whether v is older than o.
func (v Version) less(o Version) bool {
	return v.Epoch < o.Epoch || v.Epoch == o.Epoch && v.Seq < o.Seq
}

// Change takes a change that the manager tells.
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

// sameBut tells whether nothing but the figures of heartbeats tells e from o.
// Either may be nil.
func (e *Entry) sameBut(o *Entry) bool { return e != nil && o != nil && e.World.equal(&o.World) }

// Snapshot takes a whole list. It is not kept, its entries are copied.
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

// Pulse takes a sign of life: it shows whether a change was missed.
func (m *Member) Pulse(p *Pulse, now int64) MemberNeeds {
	needs, ok := m.hear(p.Version)
	if !ok {
		return m.ask(needs, now)
	}
	return m.settle(needs, now)
}

// Tick tells the time. It is to be called several times per AskEvery.
func (m *Member) Tick(now int64) MemberNeeds {
	m.stale = m.stale || now-m.current >= m.options.StaleAfter.Milliseconds()
	return m.ask(MemberNeeds{}, now)
}

// hear notes a version that a manager tells. ok is false for one that does not
// lead any more.
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

// lacks tells whether the copy is not what the manager has told of.
func (m *Member) lacks() bool { return !m.filled || m.have.less(m.want) }

// settle ends the taking of a message of the manager that leads.
func (m *Member) settle(needs MemberNeeds, now int64) MemberNeeds {
	if !m.lacks() {
		m.current, m.stale = now, false
	}
	return m.ask(needs, now)
}

// ask adds the need for a snapshot, if there is one and it is time.
func (m *Member) ask(needs MemberNeeds, now int64) MemberNeeds {
	if m.lacks() && now-m.asked >= m.options.AskEvery.Milliseconds() {
		m.asked = now
		needs.AskSnapshot = true
	}
	return needs
}

// replace takes the new state of one world.
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

// take adds a copy of e, or, when it is not valid, what is known of that world
// from before: a player is better served by that than by nothing.
func (m *Member) take(e *Entry, older *roster) {
	fresh := *e
	if m.copy.add(&fresh) == nil {
		return
	}
	m.stats.Invalid++
	if before := older.entries[e.ID]; before != nil {
		_ = m.copy.add(before) // has no room beside newer ones, or is there
	}
}

// show hands the copy to the list, and tells whether clients see a difference.
func (m *Member) show() bool {
	changed, err := m.list.Apply(m.copy.all())
	if err != nil {
		panic("worlds: the list refuses a valid copy: " + err.Error())
	}
	return changed
}

// Stale tells whether the copy has not been known to be the manager's for a
// while: no manager is heard, or what was missed does not come. It is as of the
// last Tick.
func (m *Member) Stale() bool { return m.stale }

// Version is that of the copy.
func (m *Member) Version() Version { return m.have }

// Entries are the copy, by id. The slice is the caller's.
func (m *Member) Entries() []Entry { return m.copy.all() }

// Stats are the counts so far.
func (m *Member) Stats() MemberStats { return m.stats }
