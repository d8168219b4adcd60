package worlds

import "gatepass/codec"

// T's side: claimed keys, and passes that arrive.

// usedRepeats is how often Used is sent again. If all are lost, H asks.
const usedRepeats = 4

// Claim starts to take an account's key from holder. There is one outcome, Taken or
// NotTaken. It returns ErrNotHeld if holder is this node, and ErrMoving if a claim for
// the account is active here. An abandoned claim does not count, because its holder may
// be dead and the player may have logged in elsewhere.
func (p *Passes[O]) Claim(pass PassID, name codec.Name, holder Node, proof *Proof) error {
	if holder == p.options.Self {
		return ErrNotHeld
	}
	if a := p.keys.byName[name]; a != nil {
		for mv := a.moves; mv != nil; mv = mv.next {
			if mv.stage == stageClaiming || mv.stage == stagePending && !mv.offered && !mv.abandoned {
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
	mv := p.moves.add(pass, p.keys.make(name), holder)
	kept := *proof
	mv.proof = &kept
	p.enter(mv, stageClaiming, p.bounds.giveUp)
	p.send(mv, MoveClaim).Proof = mv.proof
	return nil
}

// Abandon gives up a claim whose client has gone. It has no outcome, except
// OutcomeTaken if the key was already on its way.
func (p *Passes[O]) Abandon(pass PassID) {
	mv := p.moves.find(pass)
	switch {
	case mv == nil || mv.offered:
	case mv.stage == stageClaiming:
		mv.abandoned = true
		p.decline(mv, ReasonRecalled)
	case mv.stage == stagePending:
		mv.abandoned = true // H's copy may be wiped: this copy must not be lost
	}
}

// decline tells H that a claimed or pending key is not taken.
func (p *Passes[O]) decline(mv *move[O], why Reason) {
	p.send(mv, MoveRefuse).Reason = why
	p.discard(mv, why)
}

// discard ends a claimed or pending move without the key.
func (p *Passes[O]) discard(mv *move[O], why Reason) {
	if !mv.offered && !mv.abandoned {
		p.report(mv, OutcomeNotTaken, why)
	}
	p.end(mv, endRefused, why)
}

func (p *Passes[O]) lookClaiming(mv *move[O], over bool) {
	if over {
		p.decline(mv, ReasonTimeout)
		return
	}
	p.send(mv, MoveClaim).Proof = mv.proof
	p.again(mv)
}

func (p *Passes[O]) stepClaiming(mv *move[O], m *Move) {
	switch {
	case m.Kind == MoveRefuse:
		p.discard(mv, m.Reason)
	case m.Kind != MoveOffer:
	case m.Account != mv.held.Account || m.Key.Empty() || m.Validity != 0:
		p.decline(mv, ReasonUnknown) // not what was claimed
	case !p.givenBack(mv, m):
		p.decline(mv, ReasonForeign)
	case p.outdated(mv.account, m.Stamp):
		p.decline(mv, ReasonReplaced)
	default:
		p.accept(mv, m, p.bounds.remember)
	}
}

// givenBack reports whether H may offer a key with that stamp and hop. A login server
// may always. A world must show the voucher of its own stay, from which stamp and hop
// follow. The voucher of a pass is not enough, because its key is valid for that world
// only.
func (p *Passes[O]) givenBack(mv *move[O], m *Move) bool {
	switch {
	case m.Hop == 0 || m.Hop > MaxHop:
		return false
	case mv.peer.Kind() != KindWorld:
		return true
	}
	stay := Stay{Stamp: m.Stamp, Hop: m.Hop - 1, Voucher: m.Voucher}
	return m.Voucher.Kind() == VoucherClaimed && p.options.Vouchers.Right(mv.peer, m.Account, stay)
}

// outdated reports whether a key of that login is older than the key here.
func (p *Passes[O]) outdated(a *account[O], stamp Stamp) bool {
	return a != nil && a.held.state != keyNone && a.held.Stamp >= stamp
}

// accept stores a key as pending, under a new ticket.
func (p *Passes[O]) accept(mv *move[O], m *Move, lasts int64) {
	p.ticket++
	mv.ticket = p.ticket
	mv.held.Stamp, mv.held.Hop, mv.held.key = m.Stamp, m.Hop, m.Key
	p.enter(mv, stagePending, lasts)
	p.send(mv, MoveAccept)
}

// onOffer accepts a pass that was not claimed, if the node takes it.
func (p *Passes[O]) onOffer(from Node, m *Move) {
	if why := p.unwelcome(from, m); why != ReasonNone {
		p.refuse(from, m, why)
		p.ended.add(ending{pass: m.Pass, peer: from, reason: why, until: p.now + p.bounds.remember})
		return
	}
	mv := p.moves.add(m.Pass, p.keys.make(m.Account), from)
	mv.offered = true
	p.accept(mv, m, min(int64(m.Validity), p.bounds.validity))
}

func (p *Passes[O]) unwelcome(from Node, m *Move) Reason {
	if m.Validity == 0 || m.Key.Empty() {
		return ReasonUnknown // a claimed key that nobody waits for any longer
	}
	if p.options.Takes == nil {
		return ReasonForeign
	}
	if why := p.options.Takes(from, m); why != ReasonNone {
		return why
	}
	a := p.keys.byName[m.Account]
	switch {
	case a != nil && (a.heldAfter(m.Stamp) || a.offeredAfter(m.Stamp)):
		return ReasonReplaced
	case p.full():
		return ReasonFull
	}
	return ReasonNone
}

// heldAfter reports whether the key of a later login is here. The key of the same login
// does not block a pass: its client may have lost the connection and may be on its way
// here again.
func (a *account[O]) heldAfter(stamp Stamp) bool {
	return a.held.state != keyNone && a.held.Stamp > stamp
}

// offeredAfter reports whether a pass of a later login is here.
func (a *account[O]) offeredAfter(stamp Stamp) bool {
	for mv := a.moves; mv != nil; mv = mv.next {
		if mv.offered && mv.held.Stamp > stamp {
			return true
		}
	}
	return false
}

// lookPending asks H again. It asks for a claimed key until H has forgotten the move,
// and for a pass until the validity is over.
func (p *Passes[O]) lookPending(mv *move[O], over bool) {
	if over {
		p.decline(mv, ReasonTimeout)
		return
	}
	p.send(mv, MoveAccept)
	p.again(mv)
}

func (p *Passes[O]) stepPending(mv *move[O], m *Move) {
	switch {
	case m.Kind == MoveOffer:
		p.send(mv, MoveAccept)
	case m.Kind == MoveRecall && mv.offered:
		p.answer(mv.peer, m, MoveRecalled)
		p.discard(mv, ReasonRecalled)
	case m.Kind == MoveCommit && m.Ticket != mv.ticket:
		p.refuse(mv.peer, m, ReasonUnknown)
	case m.Ticket != mv.ticket: // a late answer to the claim
	case m.Kind == MoveCommit:
		if p.options.Self.Kind() == KindWorld { // a login server needs no voucher
			mv.held.Voucher = m.Voucher
		}
		p.take(mv)
	case m.Kind == MoveRefuse:
		p.discard(mv, m.Reason)
	}
}

// take makes a pending key or pass live.
func (p *Passes[O]) take(mv *move[O]) {
	if mv.offered {
		p.takePass(mv)
	} else {
		p.takeKey(mv)
	}
}

// takeKey makes a claimed key live at this node. Like a login here, it removes keys and
// passes of older logins, so that no such pass can be used later.
func (p *Passes[O]) takeKey(mv *move[O]) {
	a := mv.account
	if p.outdated(a, mv.held.Stamp) {
		p.decline(mv, ReasonReplaced)
		return
	}
	if old := &a.held; old.state != keyNone {
		p.outcomes = append(p.outcomes, Outcome[O]{
			Kind: OutcomeLapsed, Account: old.Account, Stamp: old.Stamp, Hop: old.Hop,
			Reason: ReasonReplaced, Owner: old.Owner,
		})
	}
	if mv.held.Stamp > 0 {
		p.cancel(a, mv.held.Stamp-1)
	}
	p.keys.put(a, mv.held)
	p.report(mv, OutcomeTaken, ReasonNone)
	p.send(mv, MoveLive)
	p.end(mv, endTaken, ReasonExpired)
}

// takePass makes an offered pass live. Its validity starts at the offer, so that H
// knows when it ends. Passes of older logins are removed.
func (p *Passes[O]) takePass(mv *move[O]) {
	for o := mv.account.moves; o != nil; {
		next := o.next
		if o.offered && o.held.Stamp < mv.held.Stamp {
			p.cancelMove(o)
		}
		o = next
	}
	mv.stage, mv.held.state = stageLive, keyLive
	p.moves.schedule(mv, mv.until)
	p.report(mv, OutcomeTaken, ReasonNone)
	p.send(mv, MoveLive)
}

func (p *Passes[O]) stepLive(mv *move[O], m *Move) {
	switch {
	case m.Kind == MoveRecall:
		p.answer(mv.peer, m, MoveRecalled)
		p.lapse(mv, ReasonRecalled)
	case m.Ticket != mv.ticket:
		if m.Kind == MoveCommit {
			p.refuse(mv.peer, m, ReasonUnknown)
		}
	case m.Kind == MoveCommit:
		p.send(mv, MoveLive)
	case m.Kind == MoveRefuse: // H does not know the pass: its client is gone
		p.lapse(mv, m.Reason)
	}
}

// revoke tells H that a live pass is gone.
func (p *Passes[O]) revoke(mv *move[O], why Reason) {
	p.send(mv, MoveRefuse).Reason = why
	p.lapse(mv, why)
}

// lapse ends a live pass.
func (p *Passes[O]) lapse(mv *move[O], why Reason) {
	p.report(mv, OutcomeLapsed, why)
	p.end(mv, endRefused, why)
}

// Pass returns a live offered pass that is not used yet, or nil. h is valid until the
// pass is gone.
func (p *Passes[O]) Pass(pass PassID) (h *Held[O]) {
	if mv := p.moves.find(pass); mv != nil && mv.stage == stageLive && p.now < mv.until {
		return &mv.held
	}
	return nil
}

// Use records that the client of a pass has entered. It returns ErrUsed for a used pass
// and ErrNoSuchKey for a pass that is not live here. h and its key are valid until the
// next Tick or Handle.
func (p *Passes[O]) Use(pass PassID) (h *Held[O], err error) {
	mv := p.moves.find(pass)
	if mv == nil {
		if end := p.ended.find(pass); end != nil && end.reason == ReasonUsed {
			return nil, ErrUsed
		}
		return nil, ErrNoSuchKey
	}
	switch {
	case mv.stage == stageUsed:
		return nil, ErrUsed
	case mv.stage != stageLive || p.now >= mv.until:
		return nil, ErrNoSuchKey
	}
	mv.stage, mv.until = stageUsed, p.now+usedRepeats*p.bounds.retry
	p.moves.schedule(mv, p.now) // the next Tick wipes the key
	p.send(mv, MoveUsed)
	return &mv.held, nil
}

func (p *Passes[O]) lookUsed(mv *move[O], over bool) {
	if over {
		p.end(mv, endRefused, ReasonUsed)
		return
	}
	if mv.held.state != keyNone {
		mv.held.key.Wipe()
		mv.held.state = keyNone
	} else {
		p.send(mv, MoveUsed)
	}
	p.again(mv)
}

func (p *Passes[O]) stepUsed(mv *move[O], m *Move) {
	switch m.Kind {
	case MoveCommit:
		p.send(mv, MoveUsed)
	case MoveRecall:
		p.refuse(mv.peer, m, ReasonUsed)
	case MoveRefuse: // H has received it, or no longer knows the pass
		p.end(mv, endRefused, ReasonUsed)
	}
}
