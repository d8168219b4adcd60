package dns

import (
	"time"

	"gatepass/guard"
)

// slipEvery: of so many replies beyond the limit, one is sent truncated.
const slipEvery = 2

// verdict is what happens to one reply.
type verdict uint8

const (
	verdictSend verdict = iota
	verdictSlip         // send it empty and truncated
	verdictDrop
)

// limiter limits the replies to each network, because an attacker who forges the sender
// of questions makes us flood that sender with replies.
type limiter struct{ table *guard.Table }

// newLimiter returns nil for no limit. mix is 64 random bits; see guard.NewTable.
func newLimiter(o *Options, mix uint64) *limiter {
	if o.RateLimit <= 0 {
		return nil
	}
	return &limiter{guard.NewTable(time.Second/time.Duration(o.RateLimit), o.RateBurst, mix)}
}

// take counts one reply to a network; see guard.Provider. Any goroutine.
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
