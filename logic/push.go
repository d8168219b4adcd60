package logic

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// push is when the list of worlds is sent unasked: to native clients that are in,
// and, where the operator wants it, to the others that are choosing. A change goes
// out at once, but not more often than once a tick; what only the figures of load
// have changed waits for the refresh.
type push struct {
	// due says that there is something to send, from at on, in milliseconds.
	due bool
	at  int64
	// last is when the last one was sent.
	last int64
	// stale is what native clients were told last.
	stale bool
}

// pushAt sends the list at that time, at once if it has passed.
func (c *Core) pushAt(at int64) {
	if !c.options.PushWorlds && c.natives == 0 || c.push.due && c.push.at <= at {
		return
	}
	c.push.due, c.push.at = true, at
	c.pushDue()
}

// pushStale tells native clients when the manager falls silent, or speaks again.
func (c *Core) pushStale() {
	if c.natives > 0 && c.push.stale != c.ports.Region.Stale() {
		c.pushAt(c.now)
	}
}

// pushDue sends what has waited for its time.
func (c *Core) pushDue() {
	if c.push.due && c.push.at <= c.now {
		c.pushLists()
	}
}

// publishWorlds makes what is listed now what native clients are told.
func (c *Core) publishWorlds() {
	c.push.stale = c.ports.Region.Stale()
	c.ports.Worlds.Publish(c.push.stale)
}

// pushLists sends the list to everybody who is to have it. Those who see the same
// share one encoding and one entry of the send queue.
func (c *Core) pushLists() {
	c.push = push{last: c.now}
	if c.natives > 0 {
		c.publishWorlds()
	}
	g := pushGroups{byFrame: make(map[*byte]*pushGroup)}
	c.sessions.each(func(s *session) {
		s.dialect().pushWorlds(c, s, &g)
	})
	for _, each := range g.order {
		c.count.pushed.Add(uint64(len(each.targets)))
		if !c.ports.Out.Broadcast(each.targets, each.frame) {
			c.push.due = true // again at the next tick
			c.missed(each)
		}
	}
}

// missed notes that the clients of a group did not get what they should have.
func (c *Core) missed(g *pushGroup) {
	for _, conn := range g.targets {
		if s := c.sessions.get(conn); s != nil {
			s.dialect().missedWorlds(s)
		}
	}
}

// sendSnapshot sends a native client the whole list.
func (c *Core) sendSnapshot(s *session) {
	frame, err := c.ports.Worlds.NativeSnapshot(c.askOf(s))
	if err != nil {
		c.options.Logger.Error("list of worlds could not be made", "build", s.build, "error", err)
		c.end(s, endFault)
		return
	}
	s.native.list = c.ports.Worlds.Version()
	c.sendFrame(s, frame)
}

// pushGroups are those who are sent the same bytes, in the order of their first
// appearance: a scenario plays the same again.
type pushGroups struct {
	byFrame map[*byte]*pushGroup
	order   []*pushGroup
}

// pushGroup are those who see the same.
type pushGroup struct {
	frame   []byte
	targets []codec.Conn
}

func (g *pushGroups) add(conn codec.Conn, frame []byte) {
	group := g.byFrame[&frame[0]]
	if group == nil {
		group = &pushGroup{frame: frame}
		g.byFrame[&frame[0]], g.order = group, append(g.order, group)
	}
	group.targets = append(group.targets, conn)
}

// askOf says for whom the list is.
func (c *Core) askOf(s *session) worlds.Ask {
	return worlds.Ask{Build: s.build, Peer: s.peer, Characters: s.characters}
}

func (c *Core) frameFor(s *session) ([]byte, error) { return c.ports.Worlds.FrameFor(c.askOf(s)) }

func (c *Core) sendFrame(s *session, frame []byte) {
	if !c.ports.Out.SendFrame(s.conn, frame) {
		c.end(s, endOverload)
	}
}
