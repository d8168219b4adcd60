package worlds

import "gatepass/codec"

// H's side of an offered pass.

// Offer starts to hand a pass for the account to a world. key is the pass's own key.
// Offer copies it; the caller wipes its own copy. There is one outcome, Issued or Kept.
// After Issued comes Admitted, or Kept if the pass was never used. A login has at most
// one pass: Offer returns ErrMoving until the earlier one is settled. It returns
// ErrNotHeld if a later login has replaced this one here.
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

// offer sends Offer.
func (p *Passes[O]) offer(mv *move[O]) {
	m := p.send(mv, MoveOffer)
	m.Key, m.Validity = mv.held.key, uint32(p.bounds.validity)
}

// Recall recalls an offered pass. The outcome is Kept, or Admitted if the client has
// already entered. It returns ErrNoSuchKey if the pass is settled or never existed.
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
		// T may have the pass as pending. It gets Recall now or as the answer to
		// Accept, and never gets Commit.
		p.send(mv, MoveRecall)
		p.keep(mv, ReasonRecalled)
	case stageCommitting, stageIssued:
		mv.stage = stageRecalling // ends when T's copy has expired
		p.lookCommitted(mv, false)
	}
}

// keep ends an offer that failed.
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

// lookCommitted repeats what T has not answered. When T's copy can no longer be live,
// it asks once more about an issued pass, because the client may have entered and the
// Used message may be lost.
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

// stepCommitted handles T's messages about a pass that is gone from here. Only messages
// with the committed ticket count. A message with another ticket is older, or from
// another life of T.
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
		p.refuse(mv.peer, m, ReasonUsed) // T need not repeat it
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

// admit ends an offer whose client has entered.
func (p *Passes[O]) admit(mv *move[O]) {
	p.issue(mv)
	p.report(mv, OutcomeAdmitted, ReasonNone)
	p.end(mv, endRefused, ReasonUsed)
}
