package logic

import (
	"fmt"

	"gatepass/codec"
)

// EventKind tells what is asked for.
type EventKind uint8

const (
	// EventHello: a client has said which account it wants and what it runs;
	// nothing is proven yet, so no filter may look at the account.
	EventHello EventKind = iota
	// EventLoginRequested: a client has proven its password and wants in.
	EventLoginRequested
	// EventReconnectRequested: a client has proven the key of an earlier login and
	// wants in.
	EventReconnectRequested
	// EventWorldSelected: a native client has picked a world.
	EventWorldSelected
	// EventKindCount is the number of kinds, for tables.
	EventKindCount
)

var eventNames = [EventKindCount]string{"hello", "login-requested", "reconnect-requested", "world-selected"}

func (k EventKind) String() string {
	if k < EventKindCount {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
}

// Event is a request to act that filters may refuse.
type Event struct {
	Kind EventKind
	conn codec.Conn
}

// Verdict is a filter's answer.
type Verdict uint8

const (
	// VerdictPass: the next filter is asked.
	VerdictPass Verdict = iota
	// VerdictHandled: the filter has handled the event; no other filter is asked.
	VerdictHandled
	// VerdictRefused: the session ends for the filter's reason.
	VerdictRefused
)

// raise puts an event at the end of the queue. It is processed before the
// message that raised it is done, but after every event raised before.
func (c *Core) raise(e Event) {
	c.events = append(c.events, e)
}

// runEvents processes events until none is left.
func (c *Core) runEvents() {
	for i := 0; i < len(c.events); i++ { // processing may append
		c.process(c.events[i])
	}
	c.events = c.events[:0]
}

// process asks the filters of an event, by priority, and goes on when all pass.
func (c *Core) process(e Event) {
	s := c.sessions.get(e.conn)
	if s == nil || s.state == StateLeaving {
		return
	}
	for i := range filters {
		f := &filters[i]
		if f.event != e.Kind {
			continue
		}
		switch verdict, why := f.ask(c, s); verdict {
		case VerdictHandled:
			return
		case VerdictRefused:
			c.count.refusedBy[i].Add(1)
			if e.Kind == EventWorldSelected { // it stays where it is
				c.selectRefused(s, s.native.wanted, codec.SelectBusy)
				s.native.wanted = 0
				return
			}
			c.end(s, why)
			return
		}
	}
	switch e.Kind {
	case EventHello:
		c.greeted(s)
	case EventLoginRequested:
		c.requested(s)
	case EventReconnectRequested:
		c.reconnected(s)
	case EventWorldSelected:
		c.worldSelected(s)
	}
}
