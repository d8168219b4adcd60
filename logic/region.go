package logic

import (
	"gatepass/storage"
	"gatepass/worlds"
)

// Region takes what the bus brings: moves of keys, answers of the directory, changes of the
// list of worlds.
func (c *Core) Region(e *worlds.Event) {
	switch {
	case e.Move != nil:
		c.count.movesIn.Add(1)
		c.keys.handle(e.From, e.Move)
	case e.Place != nil:
		c.claims.located(e.Place)
	case e.End != nil:
		c.endedByDirectory(e.End)
	case e.Change != nil:
		c.follow(c.ports.Region.Change(e.Change, c.now))
	case e.Snapshot != nil:
		c.keys.vouchBy(&e.Snapshot.VoucherKey)
		c.decoys.share(&e.Snapshot.VoucherKey)
		e.Snapshot.VoucherKey.Wipe()
		c.follow(c.ports.Region.Snapshot(e.Snapshot, c.now))
	case e.Pulse != nil:
		c.follow(c.ports.Region.Pulse(e.Pulse, c.now))
	case e.Characters != nil:
		noteCharacters(&c.effects, e.Characters)
	case e.Progress != nil:
		c.selection.progressed(e.From, e.Progress)
	case e.Order != nil:
		c.ordered(e.Order)
	case e.Up:
		c.directory.askSnapshot()
		c.announceAll()
	}
	c.settle()
	c.runEvents()
	c.count.moving.Store(int64(c.keys.moves()))
}

// Moving tells whether keys are on their way; anywhere.
func (c *Core) Moving() bool { return c.count.moving.Load() > 0 }

// follow does what the copy of the list of worlds needs.
func (c *Core) follow(needs worlds.MemberNeeds) {
	if needs.AskSnapshot {
		c.directory.askSnapshot()
	}
	if needs.NewEpoch {
		c.announceAll()
	}
	if needs.Changed {
		c.push.changed()
	}
	if needs.Figures {
		c.push.figures()
	}
}

// announceAll tells the directory again of every key that is here, and of every end.
func (c *Core) announceAll() {
	c.keys.announceAll()
	c.directory.endAgain()
}

// endedByDirectory wipes a key and ends its session, because the account came in
// elsewhere, or an operator ended it.
func (c *Core) endedByDirectory(end *worlds.End) {
	name, why := storage.Name(end.Account), directoryReason(end.Why, end.Stamp == 0)
	h := c.keys.find(name)
	if h == nil {
		if end.Stamp == 0 {
			c.keys.drop(name) // it may be on its way
		}
		if s := c.sessions.get(c.selection.player(end.Account, end.Stamp)); s != nil {
			c.endSaying(s, why, end.Why)
		}
		return
	}
	if end.Stamp != 0 && h.Stamp != end.Stamp {
		return
	}
	if s := c.sessions.get(c.keys.holder(name)); s != nil {
		c.endSaying(s, why, end.Why)
	}
	c.keys.drop(name)
}

// noteCharacters stores what a world reports.
func noteCharacters(e *effects, r *worlds.Characters) {
	for _, n := range r.Counts {
		name, err := storage.FoldName(n.Account.Bytes())
		if err != nil {
			continue // no account has such a name
		}
		e.note(storage.Op{Kind: storage.OpCharacters, Name: name, World: r.World, Count: n.Count})
	}
}

// settle acts on how moves came out.
func (c *Core) settle() {
	for _, o := range c.keys.outcomes() {
		c.count.moves[o.Kind].Add(1)
		switch o.Kind {
		case worlds.OutcomeTaken:
			c.claims.taken(&o)
		case worlds.OutcomeNotTaken:
			c.claims.notTaken(&o)
		case worlds.OutcomeLeft:
			// A client in a world keeps its connection here as long as it likes. One that
			// came back by another login server has left this one.
			if o.Node.Kind() == worlds.KindLogin {
				c.endConn(o.Owner.holder, endReconnectElsewhere)
			}
		case worlds.OutcomeIssued:
			c.selection.issued(&o)
		case worlds.OutcomeKept:
			c.selection.kept(&o)
		case worlds.OutcomeAdmitted:
			c.selection.admitted(&o)
		}
	}
}
