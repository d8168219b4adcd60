package worlds

import "gatepass/codec"

const (
	// endedFor is how long an end is remembered, in milliseconds: longer than all
	// nodes take to announce what they hold to a directory that begins anew.
	endedFor = 30_000
	// maxEnded is how many are; the oldest gives way.
	maxEnded = 1 << 16
)

// ended are the accounts that were ended lately, so that what was not known of
// them just then is ended too.
type ended struct {
	until map[codec.Name]int64
	// order has the oldest first, also those that until has no more.
	order []endedAccount
}

type endedAccount struct {
	account codec.Name
	until   int64
}

func newEnded() ended { return ended{until: make(map[codec.Name]int64)} }

// add remembers an account, and forgets those whose time is over.
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

// has tells whether an account was ended lately.
func (e *ended) has(account codec.Name, now int64) bool {
	until, ok := e.until[account]
	return ok && now < until
}

// forget is for an account that has logged in since.
func (e *ended) forget(account codec.Name) { delete(e.until, account) }
