package worlds

import (
	"math"
	"time"
)

// PassOptions configure Passes.
type PassOptions[O any] struct {
	// Self is this node's name.
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
	// Vouchers makes a login server's vouchers for keys that it hands to worlds, and
	// checks keys that worlds give back. A login server without a key in it accepts
	// nothing from worlds. Worlds have no Vouchers.
	Vouchers *Vouchers
	// All four use their default if 0. Retry is the time between repeats of a message
	// without an answer (default 200 ms). GiveUp is when a side that may still give up
	// ends a move (5 s). Validity is how long an offered pass may stay unused (60 s);
	// at a node that takes passes it is the maximum. Remember is how long an ended pass
	// is remembered (default and minimum: twice Validity and four times GiveUp).
	// Validity should be the same in a whole region.
	Retry, GiveUp, Validity, Remember time.Duration
	// MaxMoves is the limit of active moves, live and issued passes included (default
	// 65,536). Further moves are refused. Four times as many ended moves are
	// remembered; the oldest is dropped first.
	MaxMoves int
}

// passBounds are the times of the options in milliseconds.
type passBounds struct{ retry, giveUp, validity, remember, settled int64 }

// The defaults of PassOptions.
const (
	defaultPassRetry    = 200 * time.Millisecond
	defaultPassGiveUp   = 5 * time.Second
	defaultPassValidity = time.Minute
	defaultMaxMoves     = 1 << 16
)

// EnsureDefaults sets zero fields to their defaults and raises values that are too
// small.
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
