package worlds

import (
	"errors"
	"time"

	"gatepass/codec"
)

// Passes is where a node's keys live, and the machine that moves them: a key is
// accepted at one node at most at any moment, whatever the bus loses, doubles or
// delays and whoever crashes. O is what the node keeps with each key; Passes
// never looks at it. Passes belongs to one goroutine.
type Passes[O any] struct {
	options PassOptions[O]
}

// PassOptions configure Passes.
type PassOptions[O any] struct {
	// Self is this node.
	Self Node
	// Verify tells whether a claim's proof was made with a key held here. It must
	// take the same time whatever is wrong.
	Verify func(h *Held[O], proof *Proof) bool
	// Takes tells whether an offer from that node is welcome; a refused one is
	// answered with the reason. nil takes none: only what was claimed comes in.
	Takes func(from Node, m *Move) Reason
	// Gives tells whether that node may claim a key here.
	Gives func(to Node) bool
	// Retry is the time between repeats of what got no answer, GiveUp when a
	// side that is free to do so lets a move go, Validity how long an offered
	// pass may stay unused, Remember how long an ended pass is known. 0 takes
	// the defaults.
	Retry, GiveUp, Validity, Remember time.Duration
	// MaxMoves is how many moves may be under way; 0 takes the default.
	MaxMoves int
}

// Held is one account's key as a node knows it.
type Held[O any] struct {
	Account codec.Name
	Stamp   Stamp
	Hop     uint32
	// Owner is the node's own.
	Owner O
}

// Key is the key, or nil while this node must not accept it.
func (h *Held[O]) Key() *Secret { panic("not yet") }

// Errors of Offer and Use.
var (
	ErrNotHeld   = errors.New("worlds: the key is not here")
	ErrMoving    = errors.New("worlds: the key is on its way elsewhere")
	ErrTooMany   = errors.New("worlds: too many moves under way")
	ErrUsed      = errors.New("worlds: the pass was used already")
	ErrNoSuchKey = errors.New("worlds: there is no such pass")
)

// OutcomeKind says how a move came out at this node.
type OutcomeKind uint8

const (
	// OutcomeTaken: what was claimed, or offered, is live here; Account's key is
	// held here now.
	OutcomeTaken OutcomeKind = iota + 1
	// OutcomeNotTaken: what was claimed will not come, for Reason.
	OutcomeNotTaken
	// OutcomeLeft: a key that was held here was claimed by Node and is gone from
	// here. Owner is what was kept with it.
	OutcomeLeft
	// OutcomeIssued: the pass that was offered is live at Node, and gone from
	// here: the client may be told to go.
	OutcomeIssued
	// OutcomeAdmitted: the client has come in at Node with the pass.
	OutcomeAdmitted
	// OutcomeKept: the offer came to nothing, for Reason; Node holds no live pass.
	OutcomeKept
	// OutcomeLapsed: a pass or key that was live here is gone, for Reason
	// (expired, recalled, replaced). Owner is what was kept with it.
	OutcomeLapsed
	// OutcomeKindCount is the number of kinds, for tables.
	OutcomeKindCount
)

// Outcome is how a move came out.
type Outcome[O any] struct {
	Kind    OutcomeKind
	Pass    PassID
	Account codec.Name
	Stamp   Stamp
	Hop     uint32
	// Node is the other side.
	Node   Node
	Reason Reason
	Owner  O
}

// Outgoing is a Move to be sent.
type OutgoingMove struct {
	To   Node
	Move Move
}

// NewPasses makes an empty one.
func NewPasses[O any](o PassOptions[O]) *Passes[O] { return &Passes[O]{options: o} }

// Hold takes in the key of a fresh login: whatever was here of the account is
// wiped first, a move of it under way will be refused. The older key's owner, if
// there was one, is returned.
func (p *Passes[O]) Hold(account codec.Name, stamp Stamp, key *Secret) (h *Held[O], older *O) {
	panic("not yet")
}

// Find is what is known of an account's key here, or nil. While the key is on
// its way its Key is nil.
func (p *Passes[O]) Find(account codec.Name) *Held[O] { panic("not yet") }

// Drop wipes an account's key. What was being moved is refused from now on.
func (p *Passes[O]) Drop(account codec.Name) { panic("not yet") }

// Each calls f for every key that this node holds and may accept; f must not
// call other methods.
func (p *Passes[O]) Each(f func(h *Held[O])) { panic("not yet") }

// Len is how many keys are here, on their way or not.
func (p *Passes[O]) Len() int { panic("not yet") }

// Claim begins to take an account's key from holder. The outcome is Taken or
// NotTaken, once.
func (p *Passes[O]) Claim(pass PassID, account codec.Name, holder Node, proof *Proof) error {
	panic("not yet")
}

// Abandon gives up a claim whose client has gone: nothing comes of it any more
// but, where it was too late, OutcomeTaken.
func (p *Passes[O]) Abandon(pass PassID) { panic("not yet") }

// Offer begins to hand a pass for account to a world: key is the pass's own, and
// this node's copy of it. The outcome is Issued or Kept, once; behind Issued
// comes Admitted or, when it was never used, Kept.
func (p *Passes[O]) Offer(pass PassID, account codec.Name, stamp Stamp, to Node, key *Secret) error {
	panic("not yet")
}

// Recall calls an offered pass back. The outcome is Kept, or, when the client is
// in already, Admitted.
func (p *Passes[O]) Recall(pass PassID) error { panic("not yet") }

// Pass finds a live pass that was offered and not used yet; nil for none.
func (p *Passes[O]) Pass(pass PassID) *Held[O] { panic("not yet") }

// Use notes that the client of a pass has come in: a second time is ErrUsed.
func (p *Passes[O]) Use(pass PassID) (*Held[O], error) { panic("not yet") }

// Handle takes a move message from another node. m is not kept.
func (p *Passes[O]) Handle(from Node, m *Move) { panic("not yet") }

// Tick tells the time in milliseconds of a clock that never goes back.
func (p *Passes[O]) Tick(now int64) { panic("not yet") }

// Outgoing and Outcomes are what has gathered since the last call. The slices
// are good until the next call of any method, and hold secrets: Wipe when done.
func (p *Passes[O]) Outgoing() []OutgoingMove { panic("not yet") }

// Outcomes; see Outgoing.
func (p *Passes[O]) Outcomes() []Outcome[O] { panic("not yet") }
