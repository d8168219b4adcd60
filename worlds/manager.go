package worlds

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Manager is the core of the leading manager: the authoritative list of worlds, and the
// changes that others must receive. It belongs to one goroutine, which passes in the
// messages of the bus. After every call that goroutine first stores what Writes
// returns, and only then sends what Changes returns. It may send a Snapshot only when
// no write is pending. Times are milliseconds of one monotonic clock.
//
// A registered world stays known until a Reset. Silence only makes it offline. A change
// of a world's state (it arrives, leaves, or has new data) is sent at once. The figures
// of heartbeats change all the time and are sent at most once per RefreshEvery and
// world. 255 worlds then cost every login server at most 51 changes a second by
// default.
type Manager struct {
	options ManagerOptions
	// worlds are by id. Invariant: told equals the sum of all changes.
	worlds  [MaxWorlds + 1]*managed
	version Version
	changes []Change
	writes  []Write
	// silenced are the worlds that Tick has set offline.
	silenced []Node
	// looked is the time of the last Tick, 0 before the first.
	looked int64
	stats  ManagerStats
}

// ManagerOptions configure a Manager.
type ManagerOptions struct {
	// Epoch must be greater than that of every earlier leader, even if the lease and
	// all stored data were lost. A suitable value is the wall time, raised above the
	// epoch of the last lease.
	Epoch uint64
	// HeartbeatEvery is the interval that worlds are asked to use; 0 means 2 s.
	HeartbeatEvery time.Duration
	// Missed is the number of missed heartbeats that make a world offline; 0 means 3.
	Missed int
	// RefreshEvery is the least time between two changes that only update a world's
	// figures; 0 means 5 s.
	RefreshEvery time.Duration
}

// EnsureDefaults sets zero fields to their defaults.
func (o *ManagerOptions) EnsureDefaults() {
	if o.HeartbeatEvery == 0 {
		o.HeartbeatEvery = 2 * time.Second
	}
	if o.Missed == 0 {
		o.Missed = 3
	}
	if o.RefreshEvery == 0 {
		o.RefreshEvery = 5 * time.Second
	}
}

// limit returns the silence, in milliseconds, after which a world is offline.
func (o *ManagerOptions) limit() int64 { return int64(o.Missed) * o.HeartbeatEvery.Milliseconds() }

// ManagerStats are the gauges and counters of a Manager, for metrics.
type ManagerStats struct {
	// Online and Offline count the worlds in that state now.
	Online, Offline int
	// Refused counts refused registrations, BadBeats heartbeats with impossible
	// figures, UnknownBeats heartbeats of worlds that must register again.
	Refused, BadBeats, UnknownBeats uint64
	// Twins counts registrations of a second process for a world that is present.
	Twins uint64
}

// Write must be stored before the changes of the same call are sent.
type Write struct {
	// World is the key. Record is its new value.
	World  uint8
	Record *Record
	// Reset: delete all keys. World and Record are not set.
	Reset bool
}

// managed is the manager's state of a world.
type managed struct {
	told   Entry
	toldAt int64
	health health
	// latest has the figures of the last heartbeat.
	latest figures
	// twin is the incarnation that was last refused because the present one beats.
	twin uint64
	// again: the present incarnation must register again, see Register.
	again bool
}

// figures are the data that heartbeats change.
type figures struct {
	players, queue uint32
	load           float32
}

func (e *Entry) figures() figures { return figures{e.Players, e.Queue, e.Load} }

func (e *Entry) setFigures(f figures) { e.Players, e.Queue, e.Load = f.players, f.queue, f.load }

// NewManager returns a Manager without worlds.
func NewManager(o ManagerOptions) *Manager {
	o.EnsureDefaults()
	return &Manager{options: o, version: Version{Epoch: o.Epoch}}
}

// Restore loads the records of an earlier leader. Call it before any other method.
// Worlds that were online count as heard now: a world that has fallen silent becomes
// offline one limit later. The players of a world are unknown until its first beat.
// Records that conflict with earlier ones are dropped, and left is their number.
func (m *Manager) Restore(records []Record, now int64) (left int) {
	for i := range records {
		r := &records[i].Registration
		if m.check(WorldNode(r.ID), r) != nil || m.worlds[r.ID] != nil {
			left++
			continue
		}
		// Its next figures are sent at once.
		w := &managed{told: Entry{Registration: *r}, toldAt: now - m.options.RefreshEvery.Milliseconds()}
		w.health.lives(now)
		m.worlds[r.ID] = w
	}
	return left
}

// ErrTwin: another process has registered as that world and sends heartbeats.
var ErrTwin = errors.New("it is already here: another process beats for it; this one may register when that falls silent")

// Register adds or updates a world, or returns an error that names the field. The same
// registration may be repeated. Another incarnation replaces the present one only if
// that one is silent. Otherwise Register returns ErrTwin, and the present incarnation
// must register again, because the second one has sent messages under its name.
func (m *Manager) Register(from Node, r *Registration, now int64) error {
	if err := m.check(from, r); err != nil {
		m.stats.Refused++
		return err
	}
	e := Entry{Registration: *r}
	e.Offline, e.Population = false, 0 // only the manager sets these
	w := m.worlds[r.ID]
	if w.beatsFor(r, now, m.options.HeartbeatEvery.Milliseconds()) {
		m.stats.Twins++
		w.again = w.again || w.twin != r.Incarnation
		w.twin = r.Incarnation
		return fmt.Errorf("world %d %q: %w", r.ID, head(r.Name), ErrTwin)
	}
	if w == nil || w.told.Incarnation != r.Incarnation {
		w = &managed{}
		m.worlds[r.ID] = w
	}
	w.health.lives(now)
	if e.Registration.equal(&w.told.Registration) {
		return nil
	}
	e.setFigures(w.latest)
	m.status(w, e, now)
	return nil
}

// beatsFor reports whether another process than r's has the world and was heard within
// one and a half heartbeats. w may be nil.
func (w *managed) beatsFor(r *Registration, now, heartbeat int64) bool {
	return w != nil && !w.told.Offline && w.told.Incarnation != r.Incarnation &&
		!w.health.silent(now, heartbeat*3/2)
}

// check returns why a registration is refused, or nil.
func (m *Manager) check(from Node, r *Registration) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if from != WorldNode(r.ID) {
		return fmt.Errorf("world %d %q: id: %s may not speak for it", r.ID, r.Name, from)
	}
	var networks []netip.Prefix
	for id, w := range m.worlds {
		if w == nil || id == int(r.ID) {
			continue
		}
		if strings.EqualFold(w.told.Name, r.Name) {
			return fmt.Errorf("world %d %q: name: world %d has it", r.ID, r.Name, id)
		}
		networks = w.told.addNetworks(networks)
	}
	if n := len(r.addNetworks(networks)); n > MaxNetworks {
		return fmt.Errorf("world %d %q: routes: they would make %d different networks of all worlds, more than %d", r.ID, r.Name, n, MaxNetworks)
	}
	return nil
}

// Beat handles a heartbeat. known is false if that incarnation of the world is not
// registered. The world must then register again.
func (m *Manager) Beat(from Node, b *Beat, now int64) (known bool) {
	w := m.find(from)
	if w == nil || w.told.Incarnation != b.Incarnation {
		m.stats.UnknownBeats++
		return false
	}
	if !w.health.beats(b, now) {
		m.offline(w, now)
		return true
	}
	if w.again {
		w.again = false
		m.stats.UnknownBeats++
		return false
	}
	if b.Validate() != nil {
		m.stats.BadBeats++ // it is a sign of life nevertheless
	} else {
		w.latest = figures{b.Population, b.Queue, b.Load}
	}
	if w.told.Offline {
		e := w.told
		e.Offline = false
		e.setFigures(w.latest)
		m.status(w, e, now)
	} else {
		m.refresh(w, now)
	}
	return true
}

// find returns the world of a node, or nil.
func (m *Manager) find(from Node) *managed {
	if id, ok := WorldOf(from); ok {
		return m.worlds[id]
	}
	return nil
}

// Knows reports whether a world is in the list, online or not.
func (m *Manager) Knows(id uint8) bool { return m.worlds[id] != nil }

// Reset removes all worlds, for maintenance. Their next heartbeats are unknown, so the
// worlds register again.
func (m *Manager) Reset() {
	m.worlds = [MaxWorlds + 1]*managed{}
	m.writes = append(m.writes, Write{Reset: true})
	m.change(Change{Reset: true})
}

// Tick sets worlds offline that were silent for the limit, and adds changes for figures
// that are due. Call it several times per HeartbeatEvery. A longer gap means that the
// manager itself was stopped. Messages from worlds may then still wait, so the gap does
// not count as silence.
func (m *Manager) Tick(now int64) {
	gap := now - m.looked
	if m.looked == 0 || gap <= m.options.HeartbeatEvery.Milliseconds() {
		gap = 0
	}
	m.looked = now
	for _, w := range m.worlds {
		if w == nil || w.told.Offline {
			continue
		}
		w.health.excuse(gap, now)
		if w.health.silent(now, m.options.limit()) {
			m.silenced = append(m.silenced, WorldNode(w.told.ID))
			m.offline(w, now)
		} else {
			m.refresh(w, now)
		}
	}
}

// offline adds the change that a world is offline and has no players.
func (m *Manager) offline(w *managed, now int64) {
	if w.told.Offline {
		return
	}
	w.latest = figures{}
	e := w.told
	e.Offline = true
	e.setFigures(w.latest)
	m.status(w, e, now)
}

// status stores e as the new state of a world and adds the change.
func (m *Manager) status(w *managed, e Entry, now int64) {
	m.writes = append(m.writes, Write{World: e.ID, Record: &Record{Registration: e.Registration}})
	m.tell(w, e, now)
}

// refresh adds a change for a world's figures, if they differ and it is time.
func (m *Manager) refresh(w *managed, now int64) {
	if w.latest == w.told.figures() || now-w.toldAt < m.options.RefreshEvery.Milliseconds() {
		return
	}
	e := w.told
	e.setFigures(w.latest)
	m.tell(w, e, now)
}

func (m *Manager) tell(w *managed, e Entry, now int64) {
	w.told, w.toldAt = e, now
	m.change(Change{Entry: &e})
}

// change appends a change with the next version.
func (m *Manager) change(c Change) {
	m.version.Seq++
	c.Version = m.version
	m.changes = append(m.changes, c)
}

// Changes returns the changes since the last call that must be sent, in order. The
// caller owns the slice.
func (m *Manager) Changes() []Change {
	c := m.changes
	m.changes = nil
	return c
}

// Silenced returns the worlds that have fallen silent since the last call. They may be
// dead, and their keys lost. A world that leaves in order is offline but not in this
// list, because it may continue for its players. The caller owns the slice.
func (m *Manager) Silenced() []Node {
	s := m.silenced
	m.silenced = nil
	return s
}

// Writes returns the data since the last call that must be stored, in order, before the
// changes are sent. The caller owns the slice.
func (m *Manager) Writes() []Write {
	w := m.writes
	m.writes = nil
	return w
}

// Snapshot returns the whole list by id, after all changes so far.
func (m *Manager) Snapshot() Snapshot {
	s := Snapshot{Version: m.version, Entries: []Entry{}}
	for _, w := range m.worlds {
		if w != nil {
			s.Entries = append(s.Entries, w.told)
		}
	}
	return s
}

// Version returns the version of the last change.
func (m *Manager) Version() Version { return m.version }

// Stats returns the counts so far.
func (m *Manager) Stats() ManagerStats {
	s := m.stats
	for _, w := range m.worlds {
		switch {
		case w == nil:
		case w.told.Offline:
			s.Offline++
		default:
			s.Online++
		}
	}
	return s
}
