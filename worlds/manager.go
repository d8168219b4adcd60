package worlds

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Manager is the core of the manager that leads: the list of worlds as it is
// true, and what others have to be told of it. It belongs to one goroutine,
// which hands in what the bus brings and, after every call, first stores what
// Writes returns and only then tells what Changes returns; a Snapshot, too, may
// only be told when nothing is left to write. Times are milliseconds of one
// clock that never goes back.
//
// A world is registered once and then known for ever, until a Reset; silence
// makes it offline only. What changes how a world is (there, gone, other data) is
// told at once, and what changes all the time, the figures of its heartbeats, at
// most once per RefreshEvery and world, so that 255 worlds cost every login
// server at most 51 changes a second by default.
type Manager struct {
	options ManagerOptions
	// worlds are by id. Invariant: told is what the sum of all changes says.
	worlds  [MaxWorlds + 1]*managed
	version Version
	changes []Change
	writes  []Write
	// silenced are those that Tick has made offline.
	silenced []Node
	// looked is the time of the last Tick, 0 before the first.
	looked int64
	stats  ManagerStats
}

// ManagerOptions configure a Manager.
type ManagerOptions struct {
	// Epoch must be greater than that of every leader before, even when the lease
	// was lost with all that was stored: a wall time, raised above the last
	// lease's, is.
	Epoch uint64
	// HeartbeatEvery is what worlds are asked for; 0 is 2 s.
	HeartbeatEvery time.Duration
	// Missed is after how many missed heartbeats a world is offline; 0 is 3.
	Missed int
	// RefreshEvery is the least time between two changes that only tell a world's
	// figures; 0 is 5 s.
	RefreshEvery time.Duration
}

// EnsureDefaults fills in what is 0.
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

// limit is the silence after which a world is offline, in milliseconds.
func (o *ManagerOptions) limit() int64 { return int64(o.Missed) * o.HeartbeatEvery.Milliseconds() }

// ManagerStats count what a Manager has seen, for metrics.
type ManagerStats struct {
	// Online and Offline worlds there are now.
	Online, Offline int
	// Refused registrations, BadBeats whose figures cannot be, UnknownBeats of
	// worlds that had to register again.
	Refused, BadBeats, UnknownBeats uint64
	// Twins are registrations of a second process for a world that is there.
	Twins uint64
}

// Write is what must be stored before the changes that came with it are told.
type Write struct {
	// World is the key. Record is what it is to be from now on.
	World  uint8
	Record *Record
	// Reset: all keys are to be deleted; World and Record are not set.
	Reset bool
}

// managed is a world as the manager knows it.
type managed struct {
	told   Entry
	toldAt int64
	health health
	// latest are the figures of the last heartbeat.
	latest figures
	// twin is the incarnation that was refused last because this one beats.
	twin uint64
	// again: this one has to register again, see Register.
	again bool
}

// figures are what heartbeats change.
type figures struct {
	players, queue uint32
	load           float32
}

func (e *Entry) figures() figures { return figures{e.Players, e.Queue, e.Load} }

func (e *Entry) setFigures(f figures) { e.Players, e.Queue, e.Load = f.players, f.queue, f.load }

// NewManager makes one that knows no world.
func NewManager(o ManagerOptions) *Manager {
	o.EnsureDefaults()
	return &Manager{options: o, version: Version{Epoch: o.Epoch}}
}

// Restore takes over what an earlier leader stored, before anything else is
// called. Worlds that were online count as heard now: had they fallen silent
// meanwhile, they would be shown offline one limit later. Their players are not
// known until they beat. Records that cannot stand beside those before them are
// left out and counted.
func (m *Manager) Restore(records []Record, now int64) (left int) {
	for i := range records {
		r := &records[i].Registration
		if m.check(WorldNode(r.ID), r) != nil || m.worlds[r.ID] != nil {
			left++
			continue
		}
		// Its next figures are due at once.
		w := &managed{told: Entry{Registration: *r}, toldAt: now - m.options.RefreshEvery.Milliseconds()}
		w.health.lives(now)
		m.worlds[r.ID] = w
	}
	return left
}

// ErrTwin: another process has registered as that world, and beats.
var ErrTwin = errors.New("it is already here: another process beats for it; this one may register when that falls silent")

// Register takes a world in, or tells by the name of the field why not. The same
// registration may come again. Another incarnation takes the place of one that is
// there, but not while that is heard: it is refused with ErrTwin. The one that
// beats has to register again then, for the second has spoken in its name.
func (m *Manager) Register(from Node, r *Registration, now int64) error {
	if err := m.check(from, r); err != nil {
		m.stats.Refused++
		return err
	}
	e := Entry{Registration: *r}
	e.Offline, e.Population = false, 0 // that is for the manager to say
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

// beatsFor tells whether another process than r's has the world and was heard
// within one and a half heartbeats. w may be nil.
func (w *managed) beatsFor(r *Registration, now, heartbeat int64) bool {
	return w != nil && !w.told.Offline && w.told.Incarnation != r.Incarnation &&
		!w.health.silent(now, heartbeat*3/2)
}

// check tells why a registration cannot be taken.
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

// Beat takes a heartbeat. known is false when that incarnation of the world is
// not registered: it has to do that again.
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
		m.stats.BadBeats++ // a sign of life all the same
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

// find is the world that a node speaks for, or nil.
func (m *Manager) find(from Node) *managed {
	if id, ok := WorldOf(from); ok {
		return m.worlds[id]
	}
	return nil
}

// Knows tells whether a world is in the list, online or not.
func (m *Manager) Knows(id uint8) bool { return m.worlds[id] != nil }

// Reset forgets all worlds: maintenance. Their next heartbeats are unknown, so
// they register again.
func (m *Manager) Reset() {
	m.worlds = [MaxWorlds + 1]*managed{}
	m.writes = append(m.writes, Write{Reset: true})
	m.change(Change{Reset: true})
}

// Tick makes worlds offline that have been silent for the limit, and tells the
// figures that are due. It is to be called several times per HeartbeatEvery: a
// longer gap means that the manager itself stood still, and what the worlds said
// meanwhile may still wait to be handed in, so it does not count as their
// silence.
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

// offline tells that a world is gone, and that nobody is in it.
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

// status makes e what is known of a world, durably.
func (m *Manager) status(w *managed, e Entry, now int64) {
	m.writes = append(m.writes, Write{World: e.ID, Record: &Record{Registration: e.Registration}})
	m.tell(w, e, now)
}

// refresh tells a world's figures, if they have changed and it is time.
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

// change gives a change its place in the order.
func (m *Manager) change(c Change) {
	m.version.Seq++
	c.Version = m.version
	m.changes = append(m.changes, c)
}

// Changes are what must be told since the last call, in order. They are the
// caller's.
func (m *Manager) Changes() []Change {
	c := m.changes
	m.changes = nil
	return c
}

// Silenced are the worlds that have fallen silent since the last call: they may be
// dead, and their keys with them. One that leaves in order is offline too, but may
// go on for those who are in. They are the caller's.
func (m *Manager) Silenced() []Node {
	s := m.silenced
	m.silenced = nil
	return s
}

// Writes are what must be stored since the last call, in order, before the
// changes are told. They are the caller's.
func (m *Manager) Writes() []Write {
	w := m.writes
	m.writes = nil
	return w
}

// Snapshot is the whole list, by id, as all changes so far have made it.
func (m *Manager) Snapshot() Snapshot {
	s := Snapshot{Version: m.version, Entries: []Entry{}}
	for _, w := range m.worlds {
		if w != nil {
			s.Entries = append(s.Entries, w.told)
		}
	}
	return s
}

// Version is that of the last change.
func (m *Manager) Version() Version { return m.version }

// Stats are the counts so far.
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
