package worlds

import (
	"math"
	"time"
)

// PassOptions configure Passes.
type PassOptions[O any] struct {
	// Self is this node.
	Self Node
	// Incarnation is the node's first ticket: random, and drawn again at every start.
	// With Takes it must not be 0.
	Incarnation uint64
	// Verify reports whether a claim's proof was made with a key held here. It must take
	// the same time for a right and a wrong proof. For an account without a key it is
	// called with a key of zeros, and its result is ignored. h is valid during the call
	// only. nil accepts no proof.
	Verify func(h *Held[O], proof *Proof) bool
	// Takes returns the reason to refuse an offer of that node, or ReasonNone. nil refuses
	// all offers, so that only claimed keys arrive.
	Takes func(from Node, m *Move) Reason
	// Gives reports whether that node may claim a key here; nil lets no node claim.
	Gives func(to Node) bool
	// Vouchers is what a login server vouches with for the keys that it hands over to
	// worlds, and checks what worlds give back: without a key there it takes nothing
	// from them. Worlds have none.
	Vouchers *Vouchers
	// Retry is the time between repeats of what got no answer (default 200 ms),
	// GiveUp when a side that is free to do so lets a move go (5 s), Validity how
	// long an offered pass may stay unused (60 s; at a node that takes passes, at
	// most), Remember how long an ended pass is known (default and least: twice
	// Validity and four times GiveUp). 0 takes the defaults. Validity should be
	// the same in a whole region.
	Retry, GiveUp, Validity, Remember time.Duration
	// MaxMoves is how many moves may be under way, passes that are live or issued
	// included (default 65,536); what is beyond is refused. Four times as many
	// ended ones are remembered, the oldest forgotten first.
	MaxMoves int
}

// passBounds are the options in milliseconds.
type passBounds struct{ retry, giveUp, validity, remember, settled int64 }

// The defaults of PassOptions.
const (
	defaultPassRetry    = 200 * time.Millisecond
	defaultPassGiveUp   = 5 * time.Second
	defaultPassValidity = time.Minute
	defaultMaxMoves     = 1 << 16
)

// EnsureDefaults fills in what is 0 and raises what is too small.
func (o *PassOptions[O]) EnsureDefaults() {
	o.Retry = max(orDefault(o.Retry, defaultPassRetry), time.Millisecond)
	o.GiveUp = max(orDefault(o.GiveUp, defaultPassGiveUp), o.Retry)
	o.Validity = min(max(orDefault(o.Validity, defaultPassValidity), o.Retry), math.MaxUint32*time.Millisecond)
	o.Remember = max(o.Remember, 2*o.Validity+4*o.GiveUp)
	if o.MaxMoves <= 0 {
		o.MaxMoves = defaultMaxMoves
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
