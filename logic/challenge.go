package logic

import (
	"encoding/binary"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// decoys makes up salts and verifiers for names without an account, so that a challenge
// looks the same for them. All login servers of a region must make up the same ones: a
// difference between two of them would tell that there is no account.
type decoys struct {
	base
	made auth.Decoys
	// settled: this server may answer for names that have no account. A server of a
	// region may not before it has had the region's secret once; from then on its store
	// has it.
	settled bool
	// unsaved: the store refused the last request to keep them; it is asked again at
	// retryAt, by the ticks' clock.
	unsaved bool
	retryAt int64
}

// decoysRetry is after how many milliseconds the store is asked again.
const decoysRetry = 10_000

func newDecoys(b base, alone bool) decoys {
	o := b.options
	d := decoys{base: b}
	if alone || o.Decoys.Shared {
		d.settle()
	}
	d.made.Secret, d.made.Marked, d.made.ZeroTop = o.Secret, o.Decoys.Salts.Marked, o.Decoys.Salts.ZeroTop
	if o.Decoys.Shared {
		d.made.Secret = o.Decoys.Secret
	}
	return d
}

// settle lets this server answer for names that have no account.
func (d *decoys) settle() {
	d.settled = true
	d.count.settled.Store(true)
}

// ready tells whether this server may answer for names that have no account.
func (d *decoys) ready() bool { return d.settled }

// credentials makes up a salt and a verifier. asks tells whether the name also pretends to
// have a second factor; a share of all names does. The draw follows from the made-up
// verifier, which follows from name and secret: it is always the same, nobody sees it, and
// it costs no hash.
func (d *decoys) credentials(name storage.Name) (salt srp6.Salt, v srp6.Verifier, asks bool) {
	salt, v = auth.FakeCredentials(&d.made, name.Bytes())
	return salt, v, binary.LittleEndian.Uint64(v[:])%100 < uint64(d.options.FactorDecoys)
}

// native makes up a native verifier.
func (d *decoys) native(name storage.Name) srp6a.Verifier {
	return auth.FakeNative(d.made.Secret, name.Bytes(), d.options.NativeDecoys)
}

// share takes the key that the region's login servers share. Managers of an earlier
// version have none: then each server keeps its own secret.
func (d *decoys) share(key *worlds.Secret) {
	if len(key.Bytes()) == 0 {
		if !d.settled {
			d.options.Logger.Warn("the region's manager shares no key: two login servers make up different salts for unknown names; update the manager")
		}
		d.settle()
		return
	}
	secret := auth.RegionDecoys(key.Bytes())
	if d.settled && secret == d.made.Secret {
		return
	}
	d.made.Secret = secret
	d.settle()
	d.keep()
}

// saltsAre takes what the store's salts look like now. Small changes change nothing: a
// name that is asked for twice should get the same salt twice. Zeros at the top are
// remembered once they were seen: a sample can miss them.
func (d *decoys) saltsAre(now storage.SaltShape) {
	const (
		all  = 256
		many = 16 // of 256
	)
	was := d.made.Marked
	now.ZeroTop = now.ZeroTop || d.made.ZeroTop
	moved := max(now.Marked, was) - min(now.Marked, was)
	if moved <= many && (now.Marked == all) == (was == all) && (now.ZeroTop == d.made.ZeroTop || now.Marked == all) {
		return
	}
	d.made.Marked, d.made.ZeroTop = now.Marked, now.ZeroTop
	d.keep()
}

// keep stores what is known, for the next start.
func (d *decoys) keep() {
	shared := d.made.Secret != d.options.Secret
	kept := &storage.Decoys{Shared: shared, Salts: storage.SaltShape{Marked: d.made.Marked, ZeroTop: d.made.ZeroTop}}
	if shared {
		kept.Secret = d.made.Secret
	}
	d.unsaved = false
	d.effects.request(storage.Op{Kind: storage.OpSetDecoys, Decoys: kept})
}

// refused has the store asked again later.
func (d *decoys) refused() { d.unsaved, d.retryAt = true, d.now+decoysRetry }

// kept handles the store's result.
func (d *decoys) kept(r *storage.Result) {
	if r.Err != nil {
		d.count.storeErrors.Add(1)
		d.options.Logger.Warn("what accounts are made up of for unknown names could not be stored; trying again", "error", r.Err)
		d.refused()
	}
}

// keepAgain asks the store again when it is time.
func (d *decoys) keepAgain() {
	if d.unsaved && d.now >= d.retryAt {
		d.keep()
	}
}

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
