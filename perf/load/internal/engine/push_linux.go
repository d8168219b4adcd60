package engine

import (
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/protocol"
)

// onPush processes lists that a held client receives without a request.
func (e *Engine) onPush(c *client) (counts.Fault, bool) {
	if e.o.Watch == nil {
		return counts.FaultGarbage, false
	}
	rest := c.buf[:c.got]
	for len(rest) >= protocol.RealmListHead {
		size := listSize(rest)
		if rest[0] != protocol.OpRealmList {
			return counts.FaultGarbage, false
		}
		if len(rest) < size {
			break
		}
		if e.o.Watch.awaited(c.change) {
			e.recordSighting(c, e.o.Watch.online(rest[:size]))
		}
		rest = rest[size:]
	}
	c.got = copy(c.buf, rest)
	if c.got >= protocol.RealmListHead {
		c.reserve(listSize(c.buf))
	}
	return noFault, true
}

// recordSighting records a change of the watched world that a client receives.
func (e *Engine) recordSighting(c *client, online bool) {
	s, ok := e.o.Watch.sight(online, c.change)
	if !ok || len(e.sightings) == cap(e.sightings) {
		return
	}
	c.change = s.change
	e.sightings = append(e.sightings, s)
	e.shown.Add(1)
}
