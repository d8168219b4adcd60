package logic

import (
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
		r.claims.located(e.Place)
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
		r.selection.progressed(e.From, e.Progress)
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
	for _, o := range r.keys.outcomes() {
		r.count.moves[o.Kind].Add(1)
		switch o.Kind {
		case worlds.OutcomeTaken:
			r.claims.taken(&o)
		case worlds.OutcomeNotTaken:
			r.claims.notTaken(&o)
		case worlds.OutcomeLeft:
			// A client in a world keeps its connection here as long as it likes. One that
			// came back by another login server has left this one.
			if o.Node.Kind() == worlds.KindLogin {
				r.desk.endConn(o.Owner.holder, endReconnectElsewhere)
			}
		case worlds.OutcomeIssued:
			r.selection.issued(&o)
		case worlds.OutcomeKept:
			r.selection.kept(&o)
		case worlds.OutcomeAdmitted:
			r.selection.admitted(&o)
		}
	}
}
