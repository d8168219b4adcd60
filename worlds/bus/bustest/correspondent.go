package bustest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// Correspondent is a login server or world that records the events it gets, and follows
// the list of worlds.
type Correspondent struct {
	Conn *bus.Conn
	Node *bus.Node

	tb    testing.TB
	stage *Stage

	mu     sync.Mutex
	events []worlds.Event
	member *worlds.Member
	ups    int
	epochs int
	start  time.Time
}

// Correspond connects a login server or world.
func (s *Stage) Correspond(node worlds.Node, incarnation uint64) *Correspondent {
	s.TB.Helper()
	return s.CorrespondEvery(node, incarnation, 0)
}

// CorrespondEvery is Correspond for a node with another time between its hellos.
func (s *Stage) CorrespondEvery(node worlds.Node, incarnation uint64, hello time.Duration) *Correspondent {
	s.TB.Helper()
	c := &Correspondent{tb: s.TB, stage: s, Conn: s.Connect(node), start: time.Now()}
	c.member = worlds.NewMember(worlds.NewList(worlds.EncodeGrunt), worlds.MemberOptions{AskEvery: 20 * time.Millisecond})
	ready := make(chan struct{})
	var err error
	c.Node, err = c.Conn.Node(bus.NodeOptions{Incarnation: incarnation, HelloEvery: hello, Deliver: func(e worlds.Event) {
		<-ready
		c.take(e)
	}})
	close(ready)
	if err == nil {
		err = c.Conn.Client().Flush() // from now on it gets what others send
	}
	if err != nil {
		s.TB.Fatal(err)
	}
	return c
}

func (c *Correspondent) take(e worlds.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
	now := time.Since(c.start).Milliseconds()
	var needs worlds.MemberNeeds
	switch {
	case e.Up:
		c.ups++
	case e.Change != nil:
		needs = c.member.Change(e.Change, now)
	case e.Snapshot != nil:
		needs = c.member.Snapshot(e.Snapshot, now)
	case e.Pulse != nil:
		needs = c.member.Pulse(e.Pulse, now)
	default:
		return
	}
	if needs.NewEpoch {
		c.epochs++
	}
	if needs.AskSnapshot || e.Up && c.Conn.Self().Kind() == worlds.KindLogin {
		c.Node.Submit([]worlds.Effect{{AskSnapshot: true}})
	}
}

// Submit sends effects.
func (c *Correspondent) Submit(effects ...worlds.Effect) { c.Node.Submit(effects) }

// Locate asks where an account's key is.
func (c *Correspondent) Locate(account string, tag uint64) {
	l := worlds.Locate{Tag: tag, Wait: true}
	copy(l.Account[:], account)
	c.Submit(worlds.Effect{Locate: &l})
}

// HoldAlice announces a key until a manager knows it, as entries tells. It repeats the
// announcement because an Up that comes in between makes the directory forget the key.
func (c *Correspondent) HoldAlice(entries func() int) {
	c.tb.Helper()
	Eventually(c.tb, "the key is known", func() bool {
		c.Submit(c.stage.Vouched(c.Conn.Self(), Announce("ALICE", 10, worlds.AnnounceHeld)))
		return entries() == 1
	})
}

// HearAs delivers a message of another node to this one.
func (c *Correspondent) HearAs(from *bus.Conn, subject string, payload []byte) {
	c.tb.Helper()
	if err := errors.Join(from.Client().Publish(subject, payload), from.Client().Flush()); err != nil {
		c.tb.Fatal(err)
	}
}

// Count returns how many recorded events meet a condition.
func (c *Correspondent) Count(is func(*worlds.Event) bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.events {
		if is(&c.events[i]) {
			n++
		}
	}
	return n
}

// Find returns the last event that meets a condition, or nil.
func (c *Correspondent) Find(is func(*worlds.Event) bool) *worlds.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.events) - 1; i >= 0; i-- {
		if is(&c.events[i]) {
			return &c.events[i]
		}
	}
	return nil
}

// Events returns a copy of the recorded events.
func (c *Correspondent) Events() []worlds.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]worlds.Event(nil), c.events...)
}

// Shows reports whether its copy of the list has the world in that state.
func (c *Correspondent) Shows(id uint8, offline bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.member.Entries() {
		if e.ID == id {
			return e.Offline == offline
		}
	}
	return false
}

// Version returns the version of its copy of the list.
func (c *Correspondent) Version() worlds.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.member.Version()
}

// NewEpochs returns how many leaders it has followed.
func (c *Correspondent) NewEpochs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epochs
}

// Ups returns how many Up events it got.
func (c *Correspondent) Ups() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ups
}

// Announce returns the effect that announces an account's key.
func Announce(account string, stamp worlds.Stamp, kind worlds.AnnouncementKind) worlds.Effect {
	var a worlds.Announcement
	copy(a.Account[:], account)
	a.Stamp, a.Kind = stamp, kind
	return worlds.Effect{Announce: &a}
}

// IsUp is a condition for Count and Find; the others are too.
func IsUp(e *worlds.Event) bool { return e.Up }

// IsPlace: a manager's answer to Locate.
func IsPlace(e *worlds.Event) bool { return e.Place != nil }

// IsEnd: a manager's command to end sessions.
func IsEnd(e *worlds.Event) bool { return e.End != nil }

// IsMove: a message of another node about a key that moves.
func IsMove(e *worlds.Event) bool { return e.Move != nil }

// IsProgress: a world's message about its queue.
func IsProgress(e *worlds.Event) bool { return e.Progress != nil }

// IsOrder: an operator's order.
func IsOrder(e *worlds.Event) bool { return e.Order != nil }
