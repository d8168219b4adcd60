package logic

import (
	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
)

// keyPool holds what only the auth pool can make, ready for use: ephemeral keys and
// random bytes. So a challenge does not wait for the auth pool.
type keyPool struct {
	base
	keys    []srp6.Ephemeral
	randoms [][auth.RandomSize]byte
	// ordered is how many the auth pool is making.
	ordered int
	// waiting are the sessions that wait for a key, the first one first.
	waiting []codec.Conn
}

// take moves a key to *e. False means that there is none.
func (k *keyPool) take(e *srp6.Ephemeral) bool {
	n := len(k.keys)
	if n == 0 {
		return false
	}
	*e = k.keys[n-1]
	k.keys[n-1].Wipe()
	k.keys = k.keys[:n-1]
	return true
}

// await has a session wait for a key.
func (k *keyPool) await(conn codec.Conn) { k.waiting = append(k.waiting, conn) }

// next returns the session that has waited longest, if there is a key for it.
func (k *keyPool) next() (conn codec.Conn, ok bool) {
	if len(k.waiting) == 0 || len(k.keys) == 0 {
		return 0, false
	}
	conn = k.waiting[0]
	k.waiting = k.waiting[1:]
	return conn, true
}

// random fills r, of at most auth.RandomSize bytes, with bytes that are used once. False
// means that there are none.
func (k *keyPool) random(r []byte) bool {
	n := len(k.randoms)
	if n == 0 {
		return false
	}
	copy(r, k.randoms[n-1][:])
	k.randoms = k.randoms[:n-1]
	return true
}

// refill asks the auth pool for more keys when few are left.
func (k *keyPool) refill() {
	have := min(len(k.keys), len(k.randoms)) + k.ordered
	if have > poolLow {
		return
	}
	for range poolTarget - have {
		k.effects.prove(auth.Job{Kind: auth.JobMint})
		k.ordered++
	}
}

// refused notes that the auth pool had no room for an order.
func (k *keyPool) refused() { k.ordered-- }

// add puts what the auth pool has made into the pool.
func (k *keyPool) add(r *auth.Result) {
	k.ordered--
	if r.Err != nil {
		k.count.authErrors.Add(1)
		return // ordered again with the next round
	}
	if len(k.keys) < poolTarget {
		k.keys = append(k.keys, r.Ephemeral)
	}
	if len(k.randoms) < poolTarget {
		k.randoms = append(k.randoms, r.Random)
	}
}

// len is how many keys are ready.
func (k *keyPool) len() int { return len(k.keys) }
