package dns

import (
	"time"

	"gatepass/guard"
)

// slipEvery: one of this many replies beyond the limit is sent truncated.
const slipEvery = 2

// verdict is the limiter's decision about one reply.
type verdict uint8

const (
	verdictSend verdict = iota
	verdictSlip         // send it empty and truncated
	verdictDrop
)

// limiter limits the replies to each network. Without it an attacker who forges the sender of
// questions could use this server to flood that sender with replies.
type limiter struct{ table *guard.Table }

// newLimiter returns a limiter, or nil if there is no limit. mix is 64 random bits; see
// guard.NewTable.
func newLimiter(o *Options, mix uint64) *limiter {
	if o.RateLimit <= 0 {
		return nil
	}
	return &limiter{guard.NewTable(time.Second/time.Duration(o.RateLimit), o.RateBurst, mix)}
}

// take counts one reply to a network and decides about it; see guard.Provider for the network.
// Any goroutine.
func (l *limiter) take(network uint64, now time.Duration) verdict {
	if l == nil {
		return verdictSend
	}
	beyond, ok := l.table.Take(network, now)
	switch {
	case ok:
		return verdictSend
	case beyond%slipEvery == 0:
		return verdictSlip
	}
	return verdictDrop
}
