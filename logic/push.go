package logic

import (
	"gatepass/codec"
)

// push sends the list of worlds unasked: to native clients that are in, and, where the
// operator wants it, to the others that are choosing. A change goes out at once, but not
// more often than once a tick; what only the figures of load have changed waits for the
// refresh.
type push struct {
	base
	desk   desk
	out    Outbox
	worlds WorldList
	region Region
	// natives is how many native clients are in.
	natives int
	// due says that there is something to send, from at on, in milliseconds.
	due bool
	at  int64
	// last is when the last one was sent.
	last int64
	// stale is what native clients were told last.
	stale bool
}

// pushAt sends the list at that time, at once if it has passed.
func (p *push) pushAt(at int64) {
	if !p.options.PushWorlds && p.natives == 0 || p.due && p.at <= at {
		return
	}
	p.due, p.at = true, at
	p.pushDue()
}

// changed has a change of the worlds pushed, figures one of their load only.
func (p *push) changed() { p.pushAt(p.last + TickEvery.Milliseconds()) }
func (p *push) figures() { p.pushAt(p.last + p.options.RefreshEvery.Milliseconds()) }

// tick sends what has waited for its time, and tells native clients when the manager
// falls silent, or is heard again.
func (p *push) tick() {
	if p.natives > 0 && p.stale != p.region.Stale() {
		p.pushAt(p.now)
	}
	p.pushDue()
}

func (p *push) pushDue() {
	if p.due && p.at <= p.now {
		p.pushLists()
	}
}

// publish makes what is listed now what native clients are told.
func (p *push) publish() {
	p.stale = p.region.Stale()
	p.worlds.Publish(p.stale)
}

// enter counts a native client that is in from now on, and sends it the whole list.
func (p *push) enter(s *session) {
	s.native.counted = true
	if p.natives++; p.natives == 1 {
		p.publish() // nobody has looked at the list for a while
	}
	frame, err := p.worlds.NativeSnapshot(askOf(s))
	if err != nil {
		p.options.Logger.Error("list of worlds could not be made", "build", s.build, "error", err)
		p.desk.end(s, endFault)
		return
	}
	s.native.list = p.worlds.Version()
	p.desk.sendFrame(s, frame)
}

// clients is how many native clients are in.
func (p *push) clients() int { return p.natives }

// leave undoes the counting.
func (p *push) leave(s *session) {
	if s.native.counted {
		p.natives--
	}
}

// pushLists sends the list to everybody who is to have it. Those who see the same
// share one encoding and one entry of the send queue.
func (p *push) pushLists() {
	p.due, p.at, p.last, p.stale = false, 0, p.now, false
	if p.natives > 0 {
		p.publish()
	}
	g := pushGroups{byFrame: make(map[*byte]*pushGroup)}
	p.desk.each(func(s *session) { s.dialect().pushWorlds(p, s, &g) })
	for _, each := range g.order {
		p.count.pushed.Add(uint64(len(each.targets)))
		if !p.out.Broadcast(each.targets, each.frame) {
			p.due = true // again at the next tick
			p.missed(each)
		}
	}
}

// missed notes that the clients of a group did not get what they should have.
func (p *push) missed(g *pushGroup) {
	for _, conn := range g.targets {
		if s := p.desk.session(conn); s != nil {
			s.dialect().missedWorlds(s)
		}
	}
}

// pushGrunt adds an existing client to g. Its list is its own when it has characters.
func (p *push) pushGrunt(s *session, g *pushGroups) {
	if s.state != StateChoosing || !p.options.PushWorlds {
		return
	}
	frame, err := p.worlds.FrameFor(askOf(s))
	switch {
	case err != nil: // logged when the client asks
	case len(s.characters) > 0:
		p.desk.sendFrame(s, frame)
	default:
		g.add(s.conn, frame)
	}
}

// pushNative adds a native client to g, with what it does not know yet.
func (p *push) pushNative(s *session, g *pushGroups) {
	if !s.welcomed() {
		return
	}
	version := p.worlds.Version()
	frame, err := []byte(nil), error(nil)
	switch s.native.list {
	case version:
		return
	case version - 1:
		frame, err = p.worlds.NativeDelta(askOf(s))
	default:
		frame, err = p.worlds.NativeSnapshot(askOf(s))
	}
	if err != nil {
		p.options.Logger.Error("list of worlds could not be made", "build", s.build, "error", err)
		return
	}
	s.native.list = version
	g.add(s.conn, frame)
}

// notify sends a text to every native client that is in.
func (p *push) notify(text string) {
	notice := &codec.NativeReply{Text: text}
	p.desk.each(func(s *session) {
		if s.welcomed() {
			p.desk.say(s, codec.Reply{Kind: codec.ReplyNotice, Native: notice})
		}
	})
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
