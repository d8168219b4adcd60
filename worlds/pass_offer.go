package worlds

import "gatepass/codec"

// H's side of a pass that is offered.

// Offer begins to hand a pass for account to a world: key is the pass's own, and
// becomes this node's copy of it; the caller wipes its own. The outcome is
// Issued or Kept, once; behind Issued comes Admitted or, when it was never used,
// Kept. A login has one pass at most: ErrMoving until the one before is settled.
// ErrNotHeld is for a login that a later one here has replaced.
func (p *Passes[O]) Offer(pass PassID, name codec.Name, stamp Stamp, to Node, key *Secret) error {
	if a := p.keys.byName[name]; a != nil {
		if a.held.state != keyNone && a.held.Stamp > stamp {
			return ErrNotHeld
		}
		for mv := a.moves; mv != nil; mv = mv.next {
			if mv.stage >= stageOffering && mv.held.Stamp == stamp {
				return ErrMoving
			}
		}
	}
	if p.full() {
		return ErrTooMany
	}
	if p.moves.find(pass) != nil || p.ended.find(pass) != nil {
		panic("worlds: a pass id was used twice")
	}
	mv := p.moves.add(pass, p.keys.make(name), to)
	mv.held.Stamp, mv.held.Hop, mv.held.key = stamp, 1, *key
	p.enter(mv, stageOffering, p.bounds.giveUp)
	p.offer(mv)
	return nil
}

// offer says Offer.
func (p *Passes[O]) offer(mv *move[O]) {
	m := p.send(mv, MoveOffer)
	m.Key, m.Validity = mv.held.key, uint32(p.bounds.validity)
}

// Recall calls an offered pass back. The outcome is Kept, or, when the client is
// in already, Admitted. ErrNoSuchKey: it is settled, or never was.
func (p *Passes[O]) Recall(pass PassID) error {
	mv := p.moves.find(pass)
	if mv == nil || mv.stage < stageOffering {
		return ErrNoSuchKey
	}
	p.recall(mv)
	return nil
}

func (p *Passes[O]) recall(mv *move[O]) {
	switch mv.stage {
	case stageOffering:
		// T may have it as pending, and hears of it now or when it says Accept; it
		// will never hear Commit.
		p.send(mv, MoveRecall)
		p.keep(mv, ReasonRecalled)
	case stageCommitting, stageIssued:
		mv.stage = stageRecalling // no longer than T's copy can live
		p.lookCommitted(mv, false)
	}
}

// keep ends an offer that came to nothing.
func (p *Passes[O]) keep(mv *move[O], why Reason) {
	p.report(mv, OutcomeKept, why)
	p.end(mv, endRefused, why)
}

func (p *Passes[O]) lookOffering(mv *move[O], over bool) {
	if over {
		p.send(mv, MoveRecall)
		p.keep(mv, ReasonTimeout)
		return
	}
	p.offer(mv)
	p.again(mv)
}

func (p *Passes[O]) stepOffering(mv *move[O], m *Move) {
	switch m.Kind {
	case MoveAccept:
		mv.held.key.Wipe()
		mv.ticket = m.Ticket
		p.enter(mv, stageCommitting, p.bounds.settled)
		p.commit(mv, VoucherPass)
	case MoveRefuse:
		p.keep(mv, m.Reason)
	}
}

// lookCommitted repeats what T has not answered. When T's copy cannot be live any
// more, an issued pass is asked after once more, for the client may be in and
// the word of it lost.
func (p *Passes[O]) lookCommitted(mv *move[O], over bool) {
	switch {
	case over && mv.stage == stageIssued:
		p.enter(mv, stageRecalling, p.bounds.giveUp)
		p.send(mv, MoveRecall)
		return
	case over:
		p.keep(mv, ReasonTimeout)
		return
	case mv.stage == stageCommitting:
		p.commit(mv, VoucherPass)
	case mv.stage == stageRecalling:
		p.send(mv, MoveRecall)
	}
	p.again(mv)
}

// stepCommitted takes what T says of a pass that is gone from here. Only what is
// said of the ticket that was committed counts: T's word about another is older,
// or from another life.
func (p *Passes[O]) stepCommitted(mv *move[O], m *Move) {
	if m.Ticket != mv.ticket {
		if m.Kind == MoveAccept {
			p.refuse(mv.peer, m, ReasonExpired)
		}
		return
	}
	switch m.Kind {
	case MoveAccept:
		if mv.stage == stageCommitting {
			p.commit(mv, VoucherPass)
		}
	case MoveLive:
		if mv.stage == stageCommitting {
			p.issue(mv)
			mv.stage = stageIssued
			p.moves.schedule(mv, mv.until)
		}
	case MoveUsed:
		p.refuse(mv.peer, m, ReasonUsed) // T need not say it again
		p.admit(mv)
	case MoveRecalled:
		if mv.stage == stageRecalling {
			p.keep(mv, ReasonRecalled)
		}
	case MoveRefuse:
		if m.Reason == ReasonUsed {
			p.admit(mv)
		} else {
			p.keep(mv, m.Reason)
		}
	}
}

func (p *Passes[O]) issue(mv *move[O]) {
	if !mv.issued {
		mv.issued = true
		p.report(mv, OutcomeIssued, ReasonNone)
	}
}

// admit ends an offer whose client has come in.
func (p *Passes[O]) admit(mv *move[O]) {
	p.issue(mv)
	p.report(mv, OutcomeAdmitted, ReasonNone)
	p.end(mv, endRefused, ReasonUsed)
}
