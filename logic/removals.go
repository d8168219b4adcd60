package logic

import (
	"errors"
	"maps"
	"slices"

	"gatepass/storage"
)

// maxRemovals bounds the removals that the store has not yet done. It is reached only
// while the store does nothing for a long time.
const maxRemovals = 4096

// removals are the devices that are to be removed, until the store says that they are:
// a stolen token has to end even if the store is full or fails for a while. Each has a
// tag that its request carries.
type removals struct {
	base
	lastTag uint64
	open    map[uint64]*removal
}

// removal is one device of an account, named as storage.OpRemoveDevice takes it.
type removal struct {
	name   storage.Name
	device storage.Device
	// again: the last request came to nothing; the next tick sends another.
	again bool
	// told: the failure has been logged.
	told bool
}

func (r *removal) op(tag uint64) storage.Op {
	return storage.Op{Kind: storage.OpRemoveDevice, Tag: tag, Name: r.name, Device: &r.device}
}

// add removes an account's device, and asks the store again with each tick until that is
// done.
func (p *removals) add(name storage.Name, d storage.Device) {
	if len(p.open) >= maxRemovals {
		p.count.storeErrors.Add(1)
		p.options.Logger.Error("device is not removed: too many removals wait for the store", "account", name)
		return
	}
	p.lastTag++
	r := &removal{name: name, device: d}
	p.open[p.lastTag] = r
	p.effects.request(r.op(p.lastTag))
}

// refused handles a removal for which the store had no room.
func (p *removals) refused(tag uint64) {
	if r := p.open[tag]; r != nil {
		r.again = true
	}
}

// removed handles the store's result of a removal. A record that cannot be read does not
// get better: that removal is given up, and the log says what an operator can do.
func (p *removals) removed(result *storage.Result) {
	r := p.open[result.Tag]
	switch {
	case r == nil:
	case result.Err == nil, errors.Is(result.Err, storage.ErrNotFound):
		delete(p.open, result.Tag)
	case errors.Is(result.Err, storage.ErrCorrupt), errors.Is(result.Err, storage.ErrRecordVersion):
		delete(p.open, result.Tag)
		p.count.storeErrors.Add(1)
		p.options.Logger.Error("device cannot be removed; remove all of the account's with 'gatepass account devices revoke NAME --all'",
			"account", r.name, "error", result.Err)
	default:
		r.again = true
		if !r.told {
			r.told = true
			p.count.storeErrors.Add(1)
			p.options.Logger.Error("device could not be removed; trying again", "account", r.name, "error", result.Err)
		}
	}
}

// again asks the store again for what it has not done.
func (p *removals) again() {
	if len(p.open) == 0 {
		return
	}
	for _, tag := range slices.Sorted(maps.Keys(p.open)) { // the same order in each run
		if r := p.open[tag]; r.again {
			r.again = false
			p.effects.request(r.op(tag))
		}
	}
}
