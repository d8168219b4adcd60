package logic

import (
	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
)

// stock keeps what only the auth pool can make, ready for use: ephemeral keys
// and random bytes. So a challenge costs no way to the pool and back.
type stock struct {
	keys    []srp6.Ephemeral
	randoms [][auth.RandomSize]byte
	// ordered is how many the pool is making.
	ordered int
	// waiting are sessions for which there was no key, in order.
	waiting []codec.Conn
}

// take moves a key out into *e; false means there is none.
func (k *stock) take(e *srp6.Ephemeral) bool {
	n := len(k.keys)
	if n == 0 {
		return false
	}
	*e = k.keys[n-1]
	k.keys[n-1].Wipe()
	k.keys = k.keys[:n-1]
	return true
}

// random fills r, of at most auth.RandomSize bytes, with bytes that are used
// once; false means there are none.
func (k *stock) random(r []byte) bool {
	n := len(k.randoms)
	if n == 0 {
		return false
	}
	copy(r, k.randoms[n-1][:])
	k.randoms = k.randoms[:n-1]
	return true
}

// reorder asks the pool for more when the stock is low.
func (c *Core) reorder() {
	k := &c.stock
	have := min(len(k.keys), len(k.randoms)) + k.ordered
	if have > stockLow {
		return
	}
	for range stockTarget - have {
		c.jobs = append(c.jobs, auth.Job{Kind: auth.JobMint})
		k.ordered++
	}
}

// minted puts a new key into stock, or gives it to the session that has waited
// longest.
func (c *Core) minted(r *auth.Result) {
	k := &c.stock
	k.ordered--
	if r.Err != nil {
		c.count.authErrors.Add(1)
		return // reordered with the next round
	}
	if len(k.keys) < stockTarget {
		k.keys = append(k.keys, r.Ephemeral)
	}
	if len(k.randoms) < stockTarget {
		k.randoms = append(k.randoms, r.Random)
	}
	for len(k.waiting) > 0 && len(k.keys) > 0 {
		s := c.sessions.get(k.waiting[0])
		k.waiting = k.waiting[1:]
		if s != nil && s.state == StateLookingUp && s.attempt != nil {
			k.take(&s.attempt.ephemeral)
			c.challenge(s)
		}
	}
}
