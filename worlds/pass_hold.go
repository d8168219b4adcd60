package worlds

import "gatepass/codec"

// What concerns the keys that are here, and H's side of a key that is claimed.

// Hold takes in the key of a fresh login; the caller wipes its own copy.
// Whatever was here of the account is wiped first, a move of it under way will
// be refused, and passes of older logins are called back. The older key's owner,
// if there was one, is returned and good until the next call. h is good until
// the key is gone.
func (p *Passes[O]) Hold(name codec.Name, stamp Stamp, key *Secret) (h *Held[O], older *O) {
	return p.HoldAt(name, Stay{Stamp: stamp}, key)
}

// HoldAt is Hold for a key that has been elsewhere: that of a pass whose client has
// just come in, with its stay; see Use. From then on it is the account's key here,
// found, announced and dropped as any other.
func (p *Passes[O]) HoldAt(name codec.Name, stay Stay, key *Secret) (h *Held[O], older *O) {
	a := p.keys.byName[name]
	if a != nil && a.held.state != keyNone {
		p.older, older = a.held.Owner, &p.older
	}
	if a != nil && a.moves != nil {
		p.cancel(a, stay.Stamp)
	}
	a = p.keys.make(name)
	p.keys.put(a, Held[O]{Account: name, Stamp: stay.Stamp, Hop: stay.Hop, Voucher: stay.Voucher, key: *key})
	return &a.held, older
}

// Find is what is known of an account's key here, or nil. While the key is on
// its way elsewhere its Key is nil. A key that is on its way here is not found.
func (p *Passes[O]) Find(name codec.Name) *Held[O] {
	if a := p.keys.byName[name]; a != nil && a.held.state != keyNone {
		return &a.held
	}
	return nil
}

// Drop wipes an account's key and the passes of that login and older ones: what
// was moving away is refused from now on, what was offered is called back, a
// pass that waits here lapses. Without a key here, every pass of the account
// goes: to end whatever there is, call it twice. A claim that has not been
// answered is left to go on, for it may bring a later login's; see Abandon.
func (p *Passes[O]) Drop(name codec.Name) {
	a := p.keys.byName[name]
	if a == nil {
		return
	}
	stamp := ^Stamp(0)
	if a.held.state != keyNone {
		stamp = a.held.Stamp
		p.keys.wipe(a)
	}
	if a.moves != nil {
		p.cancel(a, stamp)
	} else {
		p.keys.release(a)
	}
}

// DropKey wipes an account's key, if it is here and goes nowhere, and nothing else: a
// pass of the same login that waits here stays good.
func (p *Passes[O]) DropKey(name codec.Name) {
	if a := p.keys.byName[name]; a != nil && a.held.state == keyLive {
		p.keys.wipe(a)
		p.keys.release(a)
	}
}

// Each calls f for every account's key that this node holds and may accept; f
// must not call other methods.
func (p *Passes[O]) Each(f func(h *Held[O])) {
	for _, a := range p.keys.all {
		if a.held.state == keyLive {
			f(&a.held)
		}
	}
}

// Len is how many accounts' keys are here, on their way elsewhere or not.
func (p *Passes[O]) Len() int { return p.keys.held }

// Moves is how many moves are under way, passes that wait for their clients
// included.
func (p *Passes[O]) Moves() int { return p.moves.len() }

// cancel does away with the moves of an account's logins up to stamp, and with
// the move of the key that is held here. The account may be gone afterwards.
func (p *Passes[O]) cancel(a *account[O], stamp Stamp) {
	for mv := a.moves; mv != nil; {
		next := mv.next
		if mv.stage == stageLent || mv.held.Stamp <= stamp {
			p.cancelMove(mv)
		}
		mv = next
	}
}

func (p *Passes[O]) cancelMove(mv *move[O]) {
	switch mv.stage {
	case stagePending:
		p.decline(mv, ReasonReplaced)
	case stageLive:
		p.revoke(mv, ReasonReplaced)
	case stageLent:
		p.send(mv, MoveRefuse).Reason = ReasonReplaced
		p.end(mv, endRefused, ReasonReplaced)
	case stageOffering, stageCommitting, stageIssued:
		p.recall(mv)
	case stageClaiming, stageUsed, stageRecalling:
	}
}

// end forgets a move but for how it ended.
func (p *Passes[O]) end(mv *move[O], h how, why Reason) {
	a := mv.account
	p.ended.add(ending{
		pass: mv.pass, peer: mv.peer, ticket: mv.ticket, how: h, reason: why, voucher: mv.held.Voucher, until: p.now + p.bounds.remember,
	})
	p.moves.remove(mv)
	p.keys.release(a)
}

// enter puts a move into a stage, from now for so long, and has it looked at
// every Retry meanwhile when there is something to repeat.
func (p *Passes[O]) enter(mv *move[O], s stage, lasts int64) {
	mv.stage, mv.until = s, p.now+lasts
	if s == stageLive || s == stageLent || s == stageIssued {
		p.moves.schedule(mv, mv.until)
		return
	}
	p.again(mv)
}

// again has a move looked at after a Retry, or when its stage ends.
func (p *Passes[O]) again(mv *move[O]) {
	p.moves.schedule(mv, max(p.now+1, min(p.now+p.bounds.retry, mv.until)))
}

// full tells whether one more move would be too many.
func (p *Passes[O]) full() bool { return p.moves.len() >= p.options.MaxMoves }

// proofKeySize is the size of the session keys of the protocol that claims, for
// the key that an unknown account's proof is checked against.
const proofKeySize = 40

// proven checks a claim's proof. It takes as long for an account without a key.
func (p *Passes[O]) proven(a *account[O], m *Move) bool {
	if m.Proof == nil || p.options.Verify == nil {
		return false
	}
	known := a != nil && a.held.state != keyNone
	if known {
		p.scratch = a.held // whose key may be away
	} else {
		p.scratch = Held[O]{Account: m.Account, key: Secret{n: proofKeySize}}
	}
	p.scratch.state = keyLive
	right := p.options.Verify(&p.scratch, m.Proof)
	p.scratch = Held[O]{}
	return right && known
}

// onClaim lends a key to a node that wants it. The proof is looked at before
// anything is told of the account.
func (p *Passes[O]) onClaim(from Node, m *Move) {
	if p.options.Gives == nil || !p.options.Gives(from) {
		p.refuse(from, m, ReasonForeign)
		return
	}
	a := p.keys.byName[m.Account]
	proven := p.proven(a, m)
	switch {
	case a == nil || a.held.state == keyNone:
		p.refuse(from, m, ReasonUnknown)
	case !proven:
		p.refuse(from, m, ReasonProof)
	case a.held.state == keyAway:
		p.refuse(from, m, ReasonBusy)
	case a.held.Hop >= MaxHop:
		p.refuse(from, m, ReasonExpired)
	case p.full():
		p.refuse(from, m, ReasonFull)
	default:
		mv := p.moves.add(m.Pass, a, from)
		mv.held.Stamp, mv.held.Hop = a.held.Stamp, a.held.Hop+1
		a.held.state = keyAway
		p.enter(mv, stageLent, p.bounds.giveUp)
		p.lend(mv)
	}
}

// lend says Offer. A world shows by whom it has the key.
func (p *Passes[O]) lend(mv *move[O]) {
	m := p.send(mv, MoveOffer)
	m.Key, m.Voucher = mv.account.held.key, mv.account.held.Voucher
}

func (p *Passes[O]) stepLent(mv *move[O], m *Move) {
	switch m.Kind {
	case MoveClaim:
		p.lend(mv) // the offer was lost, or the claim came twice
	case MoveAccept:
		if m.Stamp != mv.held.Stamp || m.Hop != mv.held.Hop {
			p.refuse(mv.peer, m, ReasonExpired) // of a former stay of the key here
			return
		}
		p.leave(mv, m.Ticket)
	case MoveRefuse:
		p.takeBack(mv, m.Reason)
	}
}

// leave lets go of a key that T has accepted: first it is wiped, then T is told.
func (p *Passes[O]) leave(mv *move[O], ticket uint64) {
	a := mv.account
	left := p.report(mv, OutcomeLeft, ReasonNone)
	left.Hop, left.Owner = a.held.Hop, a.held.Owner
	p.keys.wipe(a)
	mv.ticket = ticket
	p.commit(mv, VoucherClaimed)
	p.end(mv, endCommitted, ReasonExpired)
}

// takeBack makes a lent key this node's again. The pass is dead: T may have
// accepted it, and will be told no.
func (p *Passes[O]) takeBack(mv *move[O], why Reason) {
	mv.account.held.state = keyLive
	p.end(mv, endRefused, why)
}
