package logic

import (
	"slices"

	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// region takes what the bus brings, and what has become of moves of keys.
type region struct {
	base
	desk      regionDesk
	copy      Region // of the region's worlds
	keys      *keyring
	directory *directory
	decoys    *decoys
	claims    *claims
	selection *selection
	push      *push
	operator  *operator
}

// regionDesk is what the region does with sessions.
type regionDesk interface {
	session(conn codec.Conn) *session
	stepSession(s *session, in Input) bool
	endSaying(s *session, why endReason, text string)
	endConn(conn codec.Conn, why endReason)
}

// take takes what the bus brings: moves of keys, answers of the directory, changes of the
// list of worlds.
func (r *region) take(e *worlds.Event) {
	switch {
	case e.Move != nil:
		r.count.movesIn.Add(1)
		r.keys.handle(e.From, e.Move)
	case e.Place != nil:
		r.desk.stepSession(r.desk.session(codec.Conn(e.Place.Tag)), FromBus(e))
	case e.End != nil:
		r.endedByDirectory(e.End)
	case e.Change != nil:
		r.follow(r.copy.Change(e.Change, r.now))
	case e.Snapshot != nil:
		r.keys.vouchBy(&e.Snapshot.VoucherKey)
		r.decoys.share(&e.Snapshot.VoucherKey)
		e.Snapshot.VoucherKey.Wipe()
		r.follow(r.copy.Snapshot(e.Snapshot, r.now))
	case e.Pulse != nil:
		r.follow(r.copy.Pulse(e.Pulse, r.now))
	case e.Characters != nil:
		noteCharacters(r.effects, e.Characters)
	case e.Progress != nil:
		r.desk.stepSession(r.selection.owner(e.Progress.Pass), FromBus(e))
	case e.Order != nil:
		r.operator.ordered(e.Order)
	case e.Up:
		r.directory.askSnapshot()
		r.announceAll()
	}
	r.settle()
}

// tick follows the copy of the list of worlds.
func (r *region) tick() { r.follow(r.copy.Tick(r.now)) }

// follow does what the copy of the list of worlds needs.
func (r *region) follow(needs worlds.MemberNeeds) {
	if needs.AskSnapshot {
		r.directory.askSnapshot()
	}
	if needs.NewEpoch {
		r.announceAll()
	}
	if needs.Changed {
		r.push.changed()
	}
	if needs.Figures {
		r.push.figures()
	}
}

// announceAll tells the directory again of every key that is here, and of every end.
func (r *region) announceAll() {
	r.keys.announceAll()
	r.directory.endAgain()
}

// endedByDirectory wipes a key and ends its session, because the account came in
// elsewhere, or an operator ended it.
func (r *region) endedByDirectory(end *worlds.End) {
	name, why := storage.Name(end.Account), directoryReason(end.Why, end.Stamp == 0)
	h := r.keys.find(name)
	if h == nil {
		if end.Stamp == 0 {
			r.keys.drop(name) // it may be on its way
		}
		if s := r.desk.session(r.selection.player(end.Account, end.Stamp)); s != nil {
			r.desk.endSaying(s, why, end.Why)
		}
		return
	}
	if end.Stamp != 0 && h.Stamp != end.Stamp {
		return
	}
	if s := r.desk.session(r.keys.holder(name)); s != nil {
		r.desk.endSaying(s, why, end.Why)
	}
	r.keys.drop(name)
}

// noteCharacters stores what a world reports.
func noteCharacters(e *effects, report *worlds.Characters) {
	for _, n := range report.Counts {
		name, err := storage.FoldName(n.Account.Bytes())
		if err != nil {
			continue // no account has such a name
		}
		e.note(storage.Op{Kind: storage.OpCharacters, Name: name, World: report.World, Count: n.Count})
	}
}

// settle acts on how moves came out.
func (r *region) settle() {
	outcomes := r.keys.outcomes()
	for i := range outcomes {
		o := &outcomes[i]
		r.count.moves[o.Kind].Add(1)
		switch o.Kind {
		case worlds.OutcomeTaken, worlds.OutcomeNotTaken:
			if s := r.claims.settled(o); !r.desk.stepSession(s, Input{Kind: inputOutcome, outcome: o}) {
				r.claims.untaken(o)
			}
		case worlds.OutcomeLeft:
			// A client in a world keeps its connection here as long as it likes. One that
			// came back by another login server has left this one.
			if o.Node.Kind() == worlds.KindLogin {
				r.desk.endConn(o.Owner.holder, endReconnectElsewhere)
			}
		case worlds.OutcomeIssued, worlds.OutcomeKept, worlds.OutcomeAdmitted:
			if s := r.selection.settled(o); !r.desk.stepSession(s, Input{Kind: inputOutcome, outcome: o}) {
				r.selection.untaken(o)
			}
		}
	}
}

// directory gathers what a round has for the region's directory, and remembers the
// accounts that were ended here lately: an end that was lost is told again.
type directory struct {
	base
	bus   Bus
	alone bool // there is no region

	announcements []worlds.Announcement
	locates       []worlds.Locate
	ends          []worlds.AccountEnd
	snapshot      bool
	effects       []worlds.Effect
	// ended are accounts that an operator ended lately, the oldest first.
	ended []endedAccount
}

// endedAccount is an account that was ended at a time of the ticks.
type endedAccount struct {
	worlds.AccountEnd
	at int64
}

// announce tells of a key that is here, or is not any more.
func (d *directory) announce(account codec.Name, stamp worlds.Stamp, hop uint32, kind worlds.AnnouncementKind) {
	d.announcements = append(d.announcements, worlds.Announcement{Account: account, Stamp: stamp, Hop: hop, Kind: kind})
}

// locate asks where an account's key is; the answer comes with the tag.
func (d *directory) locate(account codec.Name, tag uint64) {
	d.locates = append(d.locates, worlds.Locate{Account: account, Tag: tag})
}

// askSnapshot asks for the whole list of worlds.
func (d *directory) askSnapshot() { d.snapshot = true }

// end ends an account wherever else it is: also with the key of a login before the one
// that is here.
func (d *directory) end(account codec.Name) {
	end := worlds.AccountEnd{Account: account, Why: whyCommand}
	d.ends = append(d.ends, end)
	if !d.alone && len(d.ended) < endsKept {
		d.ended = append(d.ended, endedAccount{end, d.now})
	}
}

// endAgain tells again of the accounts that were ended lately.
func (d *directory) endAgain() {
	for _, e := range d.ended {
		d.ends = append(d.ends, e.AccountEnd)
	}
}

// cameIn notes a new login of an account: the account's end before it is not told again.
func (d *directory) cameIn(account codec.Name) {
	d.ended = slices.DeleteFunc(d.ended, func(e endedAccount) bool { return e.Account == account })
}

// forgetEnds removes the ends of which everybody should have heard.
func (d *directory) forgetEnds() {
	for len(d.ended) > 0 && d.now-d.ended[0].at > endsFor.Milliseconds() {
		d.ended = d.ended[1:]
	}
}

// submit hands the bus what the round has gathered, and moves. What the bus has no room
// for is lost like a datagram: moves are repeated, and keys are announced again.
func (d *directory) submit(moves []worlds.OutgoingMove) {
	d.count.movesOut.Add(uint64(len(moves)))
	// Announcements first: the directory should hear of a login before any gate does.
	for i := range d.announcements {
		d.effects = append(d.effects, worlds.Effect{Announce: &d.announcements[i]})
	}
	for i := range moves {
		d.effects = append(d.effects, worlds.Effect{To: moves[i].To, Move: &moves[i].Move})
	}
	for i := range d.locates {
		d.effects = append(d.effects, worlds.Effect{Locate: &d.locates[i]})
	}
	for i := range d.ends {
		d.effects = append(d.effects, worlds.Effect{End: &d.ends[i]})
	}
	if d.snapshot {
		d.effects = append(d.effects, worlds.Effect{AskSnapshot: true})
	}
	if len(d.effects) == 0 {
		return
	}
	defer func() { // also after a panic: nothing may go twice, and no key stays
		clear(moves)
		clear(d.effects)
		d.announcements, d.locates = d.announcements[:0], d.locates[:0]
		d.ends, d.effects, d.snapshot = d.ends[:0], d.effects[:0], false
	}()
	d.bus.Submit(d.effects)
}

// noRegion is the region of a login server that is alone.
type noRegion struct{}

func (noRegion) Submit([]worlds.Effect)                              {}
func (noRegion) Change(*worlds.Change, int64) worlds.MemberNeeds     { return worlds.MemberNeeds{} }
func (noRegion) Snapshot(*worlds.Snapshot, int64) worlds.MemberNeeds { return worlds.MemberNeeds{} }
func (noRegion) Pulse(*worlds.Pulse, int64) worlds.MemberNeeds       { return worlds.MemberNeeds{} }
func (noRegion) Stale() bool                                         { return false }
func (noRegion) Tick(int64) worlds.MemberNeeds                       { return worlds.MemberNeeds{} }
