package worlds

import (
	"errors"
	"fmt"

	"gatepass/codec"
)

// Passes holds a node's session keys, and is the state machine that moves them between
// nodes. At any moment at most one node accepts a key, whatever the bus loses, repeats or
// delays and whichever node crashes. O is what the node stores with each key; Passes does
// not look at it. Passes belongs to one goroutine. It reads no clock and draws no random
// numbers.
//
// H holds a key, T takes it. There are two ways, and both end with the same three
// messages: T sends Accept when it has stored the key as pending; H wipes its copy and only
// then sends Commit; the Commit makes T's copy live.
//
// A key that is claimed, because its client has connected to T:
//
//	T: Claim ─▶ claiming ──Offer──▶ pending ──Commit──▶ taken, held here
//	               │ Refuse, GiveUp    │ Refuse, Remember
//	               ▼                   ▼
//	            not taken           not taken, wiped
//
//	H: held ──Claim, proof right──▶ offered ──Accept──▶ wiped, Commit: left
//	    ▲                              │
//	    └───── Refuse, GiveUp ─────────┘  (that pass is dead: Accept ▶ Refuse)
//
// A key that is offered, a pass, because its client has picked T:
//
//	H: Offer ─▶ offering ──Accept──▶ wiped, committing ──Live──▶ issued ──Used──▶ admitted
//	               │ Refuse, GiveUp       │                        │
//	               │ Recall               ├── Recall ─▶ recalling ◀┤ Recall, Validity+
//	               ▼                      ▼               ▼        ▼
//	              kept                  kept, on Refuse, Recalled or Validity+
//
//	T: ──Offer──▶ pending ──Commit──▶ live ──Use──▶ used, Used ──Refuse──▶ known as used
//	                 │                 │
//	                 └─ Recall, Refuse, Validity ─▶ wiped; live: lapsed
//
// The waiting side repeats its message: T its Claim and its Accept, H its Offer, its Commit
// and its Recall; T repeats Used a few times, until H refuses it as used. Every other message
// is an answer, and is sent again when the question comes again. Refuse gets no answer.
//
// Why at most one copy is live: T's copy becomes live only by a Commit. H sends Commit only
// when its copy is wiped, and never takes the key back after that. Before the Commit T's copy
// is not accepted. A Commit names the ticket of T's Accept, which T never draws again, not
// even after a restart (PassOptions.Incarnation): if an Offer and a Commit arrive late or
// twice at a node that has forgotten the pass, their tickets differ. A pass can be used once,
// because using it ends it. H may give up freely only before its Commit, T only before its
// Accept:
//
//   - H, after its Commit, waits for T's answer about that ticket, or until T's Validity is
//     over by any clock. Validity+ is Validity, counted from an Accept that T sent after it
//     began to count, plus a sixteenth for clocks of different speed. The clock behind Tick
//     must advance while the machine sleeps.
//   - T, after its Accept of a claimed key, does not know whether H's copy is wiped, and
//     repeats for Remember. Then it wipes its copy: the key is lost, and the player logs in
//     again. This needs a crash of H between wiping and answering, or a bus that is away for
//     minutes.
//
// How a pass ended is remembered for some time (Remember, and up to a maximum number), only to
// give good answers: H repeats a lost Commit, T says that a pass was used. No node repeats for
// as long as Remember. Only messages that the bus has delayed meet a node that has forgotten,
// and they do no harm: a Claim with a right proof gets an Offer, which T refuses because it
// waits for no such pass, and a late Accept names another hop; an Offer becomes pending under
// a new ticket, which H refuses; all other messages get Refuse, Recalled or no answer.
//
// A login server vouches for a key that it gives to a world: its Commit carries a Voucher, and
// the directory believes the world's announcement because of it. A login server takes a key
// back only with such a voucher, under the stamp and hop that follow from it. So a world can
// forge neither a login nor its order. A key that has moved MaxHop times cannot move again.
//
// A later login of an account has a greater Stamp. A key with a smaller stamp than the one
// held here is refused; a key with a greater stamp replaces the one held here.
type Passes[O any] struct {
	options PassOptions[O]
	bounds  passBounds
	// now is the time of the last Tick.
	now int64
	// ticket is the last that was drawn.
	ticket uint64

	keys  keyTable[O]
	moves moveTable[O]
	ended endTable

	// older is the last result of Hold, scratch the argument of Verify.
	older   O
	scratch Held[O]

	out, outGiven           []OutgoingMove
	outcomes, outcomesGiven []Outcome[O]
}

// Held is one account's key, or the key of an offered pass, at a node.
type Held[O any] struct {
	Account codec.Name
	Stamp   Stamp
	// Hop is how many nodes had the key before this one.
	Hop uint32
	// Owner is what the node stores with the key.
	Owner O
	// Voucher is from the login server that handed the key to this world.
	Voucher Voucher

	key   Secret
	state keyState
}

// keyState says whether a key may be accepted.
type keyState uint8

const (
	keyNone keyState = iota // there is no key
	keyLive                 // this node may accept the key
	keyAway                 // the key is moving away, or has not fully arrived
)

// Key returns the key, or nil while this node must not accept it. It aliases h, whose
// owner wipes it.
func (h *Held[O]) Key() *Secret {
	if h.state != keyLive {
		return nil
	}
	return &h.key
}

// Stay returns this stay of the key at the node.
func (h *Held[O]) Stay() Stay { return Stay{Stamp: h.Stamp, Hop: h.Hop, Voucher: h.Voucher} }

// String returns the account without the key.
func (h Held[O]) String() string {
	return fmt.Sprintf("%s stamp=%d hop=%d", h.Account, h.Stamp, h.Hop)
}

// GoString returns the same as String, so that %#v does not show the key either.
func (h Held[O]) GoString() string { return h.String() }

// Errors of Claim, Offer, Recall and Use.
var (
	ErrNotHeld   = errors.New("worlds: the key is not here")
	ErrMoving    = errors.New("worlds: the key is on its way elsewhere")
	ErrTooMany   = errors.New("worlds: too many moves under way")
	ErrUsed      = errors.New("worlds: the pass was used already")
	ErrNoSuchKey = errors.New("worlds: there is no such pass")
)

// OutcomeKind is the result of a move at this node.
type OutcomeKind uint8

const (
	// OutcomeTaken: the claimed or offered key is live here. A claimed key is now the
	// account's key, see Find. An offered pass waits for its client, see Pass.
	OutcomeTaken OutcomeKind = iota + 1
	// OutcomeNotTaken: the claimed key will not arrive, for Reason.
	OutcomeNotTaken
	// OutcomeLeft: Node has claimed a key that was held here, and the key is gone from
	// here. Owner is what was stored with it, Hop the hop that it had here.
	OutcomeLeft
	// OutcomeIssued: the offered pass is live at Node and gone from here. The client
	// may go.
	OutcomeIssued
	// OutcomeAdmitted: the client has entered at Node with the pass.
	OutcomeAdmitted
	// OutcomeKept: the offer failed, for Reason. Node holds no live pass.
	OutcomeKept
	// OutcomeLapsed: a pass or key that was live here is gone, for Reason (expired,
	// recalled, replaced). Owner is what was stored with it. Pass is zero for an
	// account's key, which is lost in this way only to a newer key.
	OutcomeLapsed
	// OutcomeKindCount is the number of kinds, for tables.
	OutcomeKindCount
)

// Outcome is the result of a move.
type Outcome[O any] struct {
	Kind    OutcomeKind
	Pass    PassID
	Account codec.Name
	Stamp   Stamp
	Hop     uint32
	// Voucher arrived with the key, see OutcomeTaken at a world.
	Voucher Voucher
	// Node is the other side of the move.
	Node   Node
	Reason Reason
	Owner  O
}

// Stay returns the stay of the key in the outcome.
func (o *Outcome[O]) Stay() Stay { return Stay{Stamp: o.Stamp, Hop: o.Hop, Voucher: o.Voucher} }

// OutgoingMove is a Move to send.
type OutgoingMove struct {
	To   Node
	Move Move
}

// NewPasses returns an empty Passes. Call Tick before any other method.
func NewPasses[O any](o PassOptions[O]) *Passes[O] {
	if o.Takes != nil && o.Incarnation == 0 {
		panic("worlds: a node that takes passes needs an incarnation")
	}
	o.EnsureDefaults()
	p := &Passes[O]{options: o, ticket: o.Incarnation, bounds: passBounds{
		retry: o.Retry.Milliseconds(), giveUp: o.GiveUp.Milliseconds(),
		validity: o.Validity.Milliseconds(), remember: o.Remember.Milliseconds(),
	}}
	p.bounds.settled = p.bounds.validity + p.bounds.validity/16 + 2*p.bounds.retry
	p.keys.init()
	p.moves.init()
	p.ended.init(4 * o.MaxMoves)
	return p
}

// Handle handles a move message from another node. It does not keep m.
func (p *Passes[O]) Handle(from Node, m *Move) {
	if mv := p.moves.find(m.Pass); mv != nil && mv.peer == from {
		p.step(mv, m)
	} else if end := p.ended.find(m.Pass); end != nil && end.peer == from {
		p.recount(end, m)
	} else {
		p.meet(from, m, mv != nil || end != nil)
	}
}

// meet handles a message about a pass that is unknown here, or that belongs to other
// nodes. In the second case the sender must learn nothing about it.
func (p *Passes[O]) meet(from Node, m *Move, others bool) {
	switch m.Kind {
	case MoveClaim, MoveOffer, MoveAccept, MoveCommit, MoveLive, MoveUsed:
		switch {
		case others:
			p.refuse(from, m, ReasonUnknown)
		case m.Kind == MoveClaim:
			p.onClaim(from, m)
		case m.Kind == MoveOffer:
			p.onOffer(from, m)
		default:
			p.refuse(from, m, ReasonUnknown)
		}
	case MoveRecall:
		p.answer(from, m, MoveRecalled)
	}
}

// recount repeats how a pass ended.
func (p *Passes[O]) recount(end *ending, m *Move) {
	switch m.Kind {
	case MoveClaim, MoveAccept:
		if end.how == endCommitted && (m.Kind == MoveClaim || m.Ticket == end.ticket) {
			again := p.answer(end.peer, m, MoveCommit)
			again.Ticket, again.Voucher = end.ticket, end.voucher
			return
		}
	case MoveCommit:
		if end.how == endTaken && m.Ticket == end.ticket {
			p.answer(end.peer, m, MoveLive)
			return
		}
	case MoveRecall:
		if end.reason != ReasonUsed {
			p.answer(end.peer, m, MoveRecalled)
			return
		}
	case MoveUsed:
	case MoveOffer, MoveLive:
		if end.how != endRefused {
			return // late, and the move is settled
		}
	default:
		return
	}
	p.refuse(end.peer, m, end.reason)
}

// step handles a message about an active move from its other side. A message that does
// not fit the stage is late or repeated, and has no effect.
func (p *Passes[O]) step(mv *move[O], m *Move) {
	switch mv.stage {
	case stageClaiming:
		p.stepClaiming(mv, m)
	case stagePending:
		p.stepPending(mv, m)
	case stageLive:
		p.stepLive(mv, m)
	case stageUsed:
		p.stepUsed(mv, m)
	case stageOffered:
		p.stepOffered(mv, m)
	case stageOffering:
		p.stepOffering(mv, m)
	case stageCommitting, stageIssued, stageRecalling:
		p.stepCommitted(mv, m)
	}
}

// Tick passes in the time, in milliseconds of a monotonic clock. Call it before other
// methods at the same time, so that a pass is never accepted after its validity.
func (p *Passes[O]) Tick(now int64) {
	p.now = max(p.now, now)
	p.ended.expire(p.now)
	for mv := p.moves.first(); mv != nil && mv.due <= p.now; mv = p.moves.first() {
		p.look(mv)
	}
}

// look handles a move whose time is due: it repeats a message or ends the stage.
func (p *Passes[O]) look(mv *move[O]) {
	over := p.now >= mv.until
	switch mv.stage {
	case stageClaiming:
		p.lookClaiming(mv, over)
	case stagePending:
		p.lookPending(mv, over)
	case stageLive:
		p.revoke(mv, ReasonExpired)
	case stageUsed:
		p.lookUsed(mv, over)
	case stageOffered:
		p.takeBack(mv, ReasonExpired)
	case stageOffering:
		p.lookOffering(mv, over)
	case stageCommitting, stageIssued, stageRecalling:
		p.lookCommitted(mv, over)
	}
}

// Outgoing returns the moves to send since the last call. The slice is valid until the
// next call and holds keys. The caller can wipe it; otherwise the next call does.
func (p *Passes[O]) Outgoing() []OutgoingMove {
	clear(p.outGiven)
	p.out, p.outGiven = p.outGiven[:0], p.out
	return p.outGiven
}

// Outcomes returns the results of moves since the last call. The slice is valid until
// the next call.
func (p *Passes[O]) Outcomes() []Outcome[O] {
	clear(p.outcomesGiven)
	p.outcomes, p.outcomesGiven = p.outcomesGiven[:0], p.outcomes
	return p.outcomesGiven
}

// send queues a message about a move for its other side.
func (p *Passes[O]) send(mv *move[O], kind MoveKind) *Move {
	h := &mv.held
	p.out = append(p.out, OutgoingMove{To: mv.peer, Move: Move{
		Kind: kind, Pass: mv.pass, Account: h.Account, Stamp: h.Stamp, Hop: h.Hop, Ticket: mv.ticket,
	}})
	return &p.out[len(p.out)-1].Move
}

// answer queues a message about the pass of m.
func (p *Passes[O]) answer(to Node, m *Move, kind MoveKind) *Move {
	p.out = append(p.out, OutgoingMove{To: to, Move: Move{
		Kind: kind, Pass: m.Pass, Account: m.Account, Stamp: m.Stamp, Hop: m.Hop, Ticket: m.Ticket,
	}})
	return &p.out[len(p.out)-1].Move
}

// commit tells the other side that the copy here is gone. For a world it adds a
// voucher.
func (p *Passes[O]) commit(mv *move[O], kind VoucherKind) {
	if mv.peer.Kind() == KindWorld {
		mv.held.Voucher = p.options.Vouchers.Make(kind, mv.peer, mv.held.Account, mv.held.Stay())
	}
	p.send(mv, MoveCommit).Voucher = mv.held.Voucher
}

func (p *Passes[O]) refuse(to Node, m *Move, why Reason) {
	p.answer(to, m, MoveRefuse).Reason = why
}

// report queues the outcome of a move.
func (p *Passes[O]) report(mv *move[O], kind OutcomeKind, why Reason) *Outcome[O] {
	h := &mv.held
	p.outcomes = append(p.outcomes, Outcome[O]{
		Kind: kind, Pass: mv.pass, Account: h.Account, Stamp: h.Stamp, Hop: h.Hop, Voucher: h.Voucher,
		Node: mv.peer, Reason: why, Owner: h.Owner,
	})
	return &p.outcomes[len(p.outcomes)-1]
}
