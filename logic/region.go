package logic

import (
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// Region takes what the bus brings: moves of keys, answers of the directory,
// changes of the list of worlds.
func (c *Core) Region(e *worlds.Event) {
	switch {
	case e.Move != nil:
		c.count.movesIn.Add(1)
		c.keys.Handle(e.From, e.Move)
		e.Move.Key.Wipe() // ours, and not kept
	case e.Place != nil:
		c.located(e.Place)
	case e.End != nil:
		c.endedByDirectory(e.End)
	case e.Change != nil:
		c.follow(c.ports.Region.Change(e.Change, c.now))
	case e.Snapshot != nil:
		c.vouchers.SetKey(&e.Snapshot.VoucherKey) // one without leaves what is known
		c.shareDecoys(&e.Snapshot.VoucherKey)
		e.Snapshot.VoucherKey.Wipe()
		c.follow(c.ports.Region.Snapshot(e.Snapshot, c.now))
	case e.Pulse != nil:
		c.follow(c.ports.Region.Pulse(e.Pulse, c.now))
	case e.Characters != nil:
		c.countCharacters(e.Characters)
	case e.Progress != nil:
		c.progressed(e.From, e.Progress)
	case e.Order != nil:
		c.ordered(e.Order)
	case e.Up:
		c.outbound.snapshot = true
		c.announceAll()
	}
	c.settle()
	c.runEvents()
	c.count.moving.Store(int64(c.keys.Moves()))
}

// Moving tells whether keys are on their way; anywhere.
func (c *Core) Moving() bool { return c.count.moving.Load() > 0 }

// follow does what the copy of the list needs.
func (c *Core) follow(needs worlds.MemberNeeds) {
	c.outbound.snapshot = c.outbound.snapshot || needs.AskSnapshot
	if needs.NewEpoch {
		c.announceAll()
	}
	if needs.Changed {
		c.pushAt(c.push.last + TickEvery.Milliseconds())
	}
	if needs.Figures {
		c.pushAt(c.push.last + c.options.RefreshEvery.Milliseconds())
	}
}

// endedByDirectory wipes a key and ends its session, because the account came in
// elsewhere, or an operator ended it.
func (c *Core) endedByDirectory(end *worlds.End) {
	h := c.keys.Find(end.Account)
	if h == nil && end.Stamp == 0 {
		c.keys.Drop(end.Account) // it may be on its way
	}
	why := directoryReason(end.Why, end.Stamp == 0)
	if s := c.sessions.get(c.inWorld[end.Account]); h == nil && s != nil && (end.Stamp == 0 || end.Stamp == s.native.stamp) {
		c.endSaying(s, why, end.Why)
	}
	if h == nil || end.Stamp != 0 && h.Stamp != end.Stamp {
		return
	}
	if s := c.sessions.get(h.Owner.holder); s != nil {
		c.endSaying(s, why, end.Why)
	}
	c.dropKey(h)
}

// endElsewhere ends an account wherever else it is: also with the key of a login
// before the one that is here.
func (c *Core) endElsewhere(account codec.Name) {
	end := worlds.AccountEnd{Account: account, Why: whyCommand}
	c.ends = append(c.ends, end)
	if !c.alone && len(c.ended) < endsKept {
		c.ended = append(c.ended, endedAccount{end, c.now})
	}
}

// endedAccount is an account that was ended at a time of the ticks.
type endedAccount struct {
	worlds.AccountEnd
	at int64
}

// forgetEnds lets go of those of whom everybody should have heard.
func (c *Core) forgetEnds() {
	for len(c.ended) > 0 && c.now-c.ended[0].at > endsFor.Milliseconds() {
		c.ended = c.ended[1:]
	}
}

// countCharacters stores what a world reports.
func (c *Core) countCharacters(r *worlds.Characters) {
	for _, n := range r.Counts {
		name, err := storage.FoldName(n.Account.Bytes())
		if err != nil {
			continue // no account has such a name
		}
		if len(c.notes) == notesRound {
			c.count.notesDropped.Add(1) // the world reports it again with the next change
			continue
		}
		c.notes = append(c.notes, storage.Op{Kind: storage.OpCharacters, Name: name, World: r.World, Count: n.Count})
	}
}

// settle acts on how moves came out.
func (c *Core) settle() {
	for _, o := range c.keys.Outcomes() {
		c.count.moves[o.Kind].Add(1)
		switch o.Kind {
		case worlds.OutcomeTaken:
			c.taken(&o)
		case worlds.OutcomeNotTaken:
			c.notTaken(&o)
		case worlds.OutcomeLeft:
			c.left(&o)
		case worlds.OutcomeIssued:
			c.passIssued(&o)
		case worlds.OutcomeKept:
			c.passKept(&o)
		case worlds.OutcomeAdmitted:
			c.passAdmitted(&o)
		}
	}
}

// left: the key of a session has moved on. A client in a world keeps its login
// connection as long as it likes; one that came back by another login server has
// left this one behind.
func (c *Core) left(o *worlds.Outcome[holding]) {
	if o.Node.Kind() == worlds.KindLogin {
		c.endConn(o.Owner.holder, endReconnectElsewhere)
	}
}

// outbound is what a round has gathered for the bus.
type outbound struct {
	announcements []worlds.Announcement
	locates       []worlds.Locate
	ends          []worlds.AccountEnd
	snapshot      bool
	effects       []worlds.Effect
}

func (c *Core) announce(h *heldKey, kind worlds.AnnouncementKind) {
	c.outbound.announcements = append(c.outbound.announcements,
		worlds.Announcement{Account: h.Account, Stamp: h.Stamp, Hop: h.Hop, Kind: kind})
}

// announceAll tells the directory of every key that is here, by and by: it has
// lost what it knew, or may have.
func (c *Core) announceAll() {
	c.unannounced = c.unannounced[:0]
	c.keys.Each(func(h *heldKey) { c.unannounced = append(c.unannounced, h.Account) })
	for _, e := range c.ended {
		c.ends = append(c.ends, e.AccountEnd)
	}
}

// announceSome takes the next chunk of announceAll.
func (c *Core) announceSome() {
	n := min(len(c.unannounced), announceChunk)
	for _, name := range c.unannounced[len(c.unannounced)-n:] {
		if h := c.keys.Find(name); h != nil && h.Key() != nil {
			c.announce(h, worlds.AnnounceHeld)
		}
	}
	c.unannounced = c.unannounced[:len(c.unannounced)-n]
}

// submitRegion hands the bus what the round has gathered. What it finds no room
// for is lost like a datagram: moves are repeated, and announcements made anew.
func (c *Core) submitRegion() {
	out := &c.outbound
	moves := c.keys.Outgoing()
	c.count.movesOut.Add(uint64(len(moves)))
	// Announcements first: the directory should hear of a login before any gate does.
	for i := range out.announcements {
		out.effects = append(out.effects, worlds.Effect{Announce: &out.announcements[i]})
	}
	for i := range moves {
		out.effects = append(out.effects, worlds.Effect{To: moves[i].To, Move: &moves[i].Move})
	}
	for i := range out.locates {
		out.effects = append(out.effects, worlds.Effect{Locate: &out.locates[i]})
	}
	for i := range out.ends {
		out.effects = append(out.effects, worlds.Effect{End: &out.ends[i]})
	}
	if out.snapshot {
		out.effects = append(out.effects, worlds.Effect{AskSnapshot: true})
	}
	if len(out.effects) == 0 {
		return
	}
	defer func() { // also when this panics: nothing may go twice, no key stay
		clear(moves)
		clear(out.effects)
		*out = outbound{
			announcements: out.announcements[:0], locates: out.locates[:0],
			ends: out.ends[:0], effects: out.effects[:0],
		}
	}()
	c.ports.Bus.Submit(out.effects)
}

// noRegion is the region of a login server that is alone.
type noRegion struct{}

func (noRegion) Submit([]worlds.Effect)                              {}
func (noRegion) Change(*worlds.Change, int64) worlds.MemberNeeds     { return worlds.MemberNeeds{} }
func (noRegion) Snapshot(*worlds.Snapshot, int64) worlds.MemberNeeds { return worlds.MemberNeeds{} }
func (noRegion) Pulse(*worlds.Pulse, int64) worlds.MemberNeeds       { return worlds.MemberNeeds{} }
func (noRegion) Stale() bool                                         { return false }
func (noRegion) Tick(int64) worlds.MemberNeeds                       { return worlds.MemberNeeds{} }
