package worlds

import "gatepass/codec"

const (
	// endedFor is how long an end is remembered, in milliseconds. It is longer than all
	// nodes need to announce their keys to a new directory.
	endedFor = 30_000
	// maxEnded is how many ends are remembered. The oldest is dropped first.
	maxEnded = 1 << 16
)

// ended holds the accounts that were ended recently, so that a key of them that is
// announced later is ended too.
type ended struct {
	until map[codec.Name]int64
	// order has the oldest first. It can contain accounts that until no longer has.
	order []endedAccount
}

type endedAccount struct {
	account codec.Name
	until   int64
}

func newEnded() ended { return ended{until: make(map[codec.Name]int64)} }

// add remembers an account and drops those whose time is over.
func (e *ended) add(account codec.Name, now int64) {
	for len(e.order) > 0 && (e.order[0].until <= now || len(e.order) >= maxEnded) {
		oldest := e.order[0]
		e.order = e.order[1:]
		if e.until[oldest.account] == oldest.until {
			delete(e.until, oldest.account)
		}
	}
	e.until[account] = now + endedFor
	e.order = append(e.order, endedAccount{account, now + endedFor})
}

// has reports whether an account was ended recently.
func (e *ended) has(account codec.Name, now int64) bool {
	until, ok := e.until[account]
	return ok && now < until
}

// forget removes an account that has logged in since.
func (e *ended) forget(account codec.Name) { delete(e.until, account) }
