package worlds

import "gatepass/codec"

// This file has the keys that the node holds, and H's side of a claimed key.

// Hold stores the key of a new login; the caller wipes its own copy. An older key of the
// account is wiped, a move of it is refused, and passes of older logins are recalled. older
// is the owner of the older key, or nil; it is valid until the next call. h is valid until
// the key is wiped.
func (p *Passes[O]) Hold(name codec.Name, stamp Stamp, key *Secret) (h *Held[O], older *O) {
	return p.HoldAt(name, Stay{Stamp: stamp}, key)
}

// HoldAt is Hold for the key of a pass whose client has entered, with its stay; see Use.
// From then on it is the account's key here like any other.
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

// Find returns the account's key here, or nil. While the key is moving to another node its
// Key is nil. It does not find a key that is moving to this node.
func (p *Passes[O]) Find(name codec.Name) *Held[O] {
	if a := p.keys.byName[name]; a != nil && a.held.state != keyNone {
		return &a.held
	}
	return nil
}

// Drop wipes an account's key and the passes of that login and of older ones: a key that is
// moving away is refused from now on, an offered pass is recalled, a pass that waits here
// lapses. If there is no key here, every pass of the account ends; so two calls end
// everything. A claim without an answer goes on, because it may bring the key of a later
// login; see Abandon.
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

// DropKey wipes an account's key unless it is moving. A pass of the same login that waits
// here stays valid.
func (p *Passes[O]) DropKey(name codec.Name) {
	if a := p.keys.byName[name]; a != nil && a.held.state == keyLive {
		p.keys.wipe(a)
		p.keys.release(a)
	}
}

// Each calls f for every key that this node holds and may accept. f must not call other
// methods.
func (p *Passes[O]) Each(f func(h *Held[O])) {
	for _, a := range p.keys.all {
		if a.held.state == keyLive {
			f(&a.held)
		}
	}
}

// Len returns the number of keys here, those that are moving away included.
func (p *Passes[O]) Len() int { return p.keys.held }

// Moves returns the number of moves that are not finished, passes that wait for their
// clients included.
func (p *Passes[O]) Moves() int { return p.moves.len() }

// cancel ends the moves of an account's logins up to stamp, and the move of the key that is
// held here. The account may be removed by that.
func (p *Passes[O]) cancel(a *account[O], stamp Stamp) {
	for mv := a.moves; mv != nil; {
		next := mv.next
		if mv.stage == stageOffered || mv.held.Stamp <= stamp {
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
	case stageOffered:
		p.send(mv, MoveRefuse).Reason = ReasonReplaced
		p.end(mv, endRefused, ReasonReplaced)
	case stageOffering, stageCommitting, stageIssued:
		p.recall(mv)
	case stageClaiming, stageUsed, stageRecalling:
	}
}

// end removes a move and remembers how it ended.
func (p *Passes[O]) end(mv *move[O], h how, why Reason) {
	a := mv.account
	p.ended.add(ending{
		pass: mv.pass, peer: mv.peer, ticket: mv.ticket, how: h, reason: why, voucher: mv.held.Voucher, until: p.now + p.bounds.remember,
	})
	p.moves.remove(mv)
	p.keys.release(a)
}

// enter puts a move into a stage for a time. In stages that repeat a message the move is
// checked every Retry.
func (p *Passes[O]) enter(mv *move[O], s stage, lasts int64) {
	mv.stage, mv.until = s, p.now+lasts
	if s == stageLive || s == stageOffered || s == stageIssued {
		p.moves.schedule(mv, mv.until)
		return
	}
	p.again(mv)
}

// again schedules the next check of a move: after a Retry, or when its stage ends.
func (p *Passes[O]) again(mv *move[O]) {
	p.moves.schedule(mv, max(p.now+1, min(p.now+p.bounds.retry, mv.until)))
}

// full reports whether there is no room for another move.
func (p *Passes[O]) full() bool { return p.moves.len() >= p.options.MaxMoves }

// proofKeySize is the size of a session key of the grunt protocol. The proof of an unknown
// account is checked against a key of that size.
const proofKeySize = 40

// proven checks a claim's proof. It takes as long for an account without a key.
func (p *Passes[O]) proven(a *account[O], m *Move) bool {
	if m.Proof == nil || p.options.Verify == nil {
		return false
	}
	known := a != nil && a.held.state != keyNone
	if known {
		p.scratch = a.held // this key may be moving away
	} else {
		p.scratch = Held[O]{Account: m.Account, key: Secret{n: proofKeySize}}
	}
	p.scratch.state = keyLive
	right := p.options.Verify(&p.scratch, m.Proof)
	p.scratch = Held[O]{}
	return right && known
}

// onClaim offers a key to a node that claims it. It checks the proof before it reveals
// anything about the account.
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
		p.enter(mv, stageOffered, p.bounds.giveUp)
		p.sendOffer(mv)
	}
}

// sendOffer sends Offer. A world adds the voucher of the login server that gave it the key.
func (p *Passes[O]) sendOffer(mv *move[O]) {
	m := p.send(mv, MoveOffer)
	m.Key, m.Voucher = mv.account.held.key, mv.account.held.Voucher
}

func (p *Passes[O]) stepOffered(mv *move[O], m *Move) {
	switch m.Kind {
	case MoveClaim:
		p.sendOffer(mv) // the offer was lost, or the claim was repeated
	case MoveAccept:
		if m.Stamp != mv.held.Stamp || m.Hop != mv.held.Hop {
			p.refuse(mv.peer, m, ReasonExpired) // about an earlier stay of the key here
			return
		}
		p.leave(mv, m.Ticket)
	case MoveRefuse:
		p.takeBack(mv, m.Reason)
	}
}

// leave wipes a key that T has accepted, and then sends Commit.
func (p *Passes[O]) leave(mv *move[O], ticket uint64) {
	a := mv.account
	left := p.report(mv, OutcomeLeft, ReasonNone)
	left.Hop, left.Owner = a.held.Hop, a.held.Owner
	p.keys.wipe(a)
	mv.ticket = ticket
	p.commit(mv, VoucherClaimed)
	p.end(mv, endCommitted, ReasonExpired)
}

// takeBack makes an offered key live here again. The pass is dead: if T has accepted it, T
// gets Refuse.
func (p *Passes[O]) takeBack(mv *move[O], why Reason) {
	mv.account.held.state = keyLive
	p.end(mv, endRefused, why)
}
