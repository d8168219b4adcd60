package logic

import (
	"gatepass/auth"
	"gatepass/storage"
	"gatepass/worlds"
)

// decoys are what accounts are made up of for names that have none. All login servers
// of a region must make up the same ones: else two of them give the answer away.
type decoys struct {
	auth.Decoys
	// settled: this server may answer for names that have no account. A server of a
	// region may not before it has had the region's secret once; from then on its store
	// has it.
	settled bool
	// unsaved: the store has not taken what is known; it is asked again at retryAt, on
	// the clock of ticks.
	unsaved bool
	retryAt int64
}

// decoysRetry is after how many milliseconds the store is asked again.
const decoysRetry = 10_000

func newDecoys(o *Options, alone bool) decoys {
	d := decoys{settled: alone || o.Decoys.Shared}
	d.Secret, d.Marked, d.ZeroTop = o.Secret, o.Decoys.Salts.Marked, o.Decoys.Salts.ZeroTop
	if o.Decoys.Shared {
		d.Secret = o.Decoys.Secret
	}
	return d
}

// shareDecoys takes the key that the region's login servers share. Managers of an
// earlier version have none: then each server goes on with a secret of its own.
func (c *Core) shareDecoys(key *worlds.Secret) {
	if len(key.Bytes()) == 0 {
		if !c.decoys.settled {
			c.options.Logger.Warn("the region's manager shares no key: two login servers make up different salts for unknown names; update the manager")
		}
		c.decoys.settled = true
		return
	}
	secret := auth.RegionDecoys(key.Bytes())
	if c.decoys.settled && secret == c.decoys.Secret {
		return
	}
	c.decoys.Secret, c.decoys.settled = secret, true
	c.keepDecoys()
}

// saltsAre takes what the store's salts look like now. Small changes change nothing: a
// name that is asked for twice should get the same salt twice. That there are zeros at the
// top holds once it was seen: a sample can miss them.
func (c *Core) saltsAre(now storage.SaltShape) {
	const (
		all  = 256
		many = 16 // of 256
	)
	was := c.decoys.Marked
	now.ZeroTop = now.ZeroTop || c.decoys.ZeroTop
	moved := max(now.Marked, was) - min(now.Marked, was)
	if moved <= many && (now.Marked == all) == (was == all) && (now.ZeroTop == c.decoys.ZeroTop || now.Marked == all) {
		return
	}
	c.decoys.Marked, c.decoys.ZeroTop = now.Marked, now.ZeroTop
	c.keepDecoys()
}

// keepDecoys stores what is known, for the next start.
func (c *Core) keepDecoys() {
	shared := c.decoys.Secret != c.options.Secret
	kept := &storage.Decoys{Shared: shared, Salts: storage.SaltShape{Marked: c.decoys.Marked, ZeroTop: c.decoys.ZeroTop}}
	if shared {
		kept.Secret = c.decoys.Secret
	}
	c.decoys.unsaved = false
	c.ops = append(c.ops, storage.Op{Kind: storage.OpSetDecoys, Decoys: kept})
}

// decoysRefused has the store asked again later.
func (c *Core) decoysRefused() { c.decoys.unsaved, c.decoys.retryAt = true, c.now+decoysRetry }

// keptDecoys handles the store's result.
func (c *Core) keptDecoys(r *storage.Result) {
	if r.Err != nil {
		c.count.storeErrors.Add(1)
		c.options.Logger.Warn("what accounts are made up of for unknown names could not be stored; trying again", "error", r.Err)
		c.decoysRefused()
	}
}

// keepDecoysAgain asks the store again when it is time.
func (c *Core) keepDecoysAgain() {
	if c.decoys.unsaved && c.now >= c.decoys.retryAt {
		c.keepDecoys()
	}
}
