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

// removeDevice removes an account's device, and asks the store again with each tick
// until that is done.
func (c *Core) removeDevice(name storage.Name, d storage.Device) {
	p := &c.removals
	if len(p.open) >= maxRemovals {
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("device is not removed: too many removals wait for the store", "account", name)
		return
	}
	p.lastTag++
	r := &removal{name: name, device: d}
	p.open[p.lastTag] = r
	c.ops = append(c.ops, r.op(p.lastTag))
}

// removalRefused handles a removal for which the store had no room.
func (c *Core) removalRefused(tag uint64) {
	if r := c.removals.open[tag]; r != nil {
		r.again = true
	}
}

// removedDevice handles the store's result of a removal. A record that cannot be read
// stays so: that removal is given up, and the log says what an operator can do.
func (c *Core) removedDevice(result *storage.Result) {
	r := c.removals.open[result.Tag]
	switch {
	case r == nil:
	case result.Err == nil, errors.Is(result.Err, storage.ErrNotFound):
		delete(c.removals.open, result.Tag)
	case errors.Is(result.Err, storage.ErrCorrupt), errors.Is(result.Err, storage.ErrRecordVersion):
		delete(c.removals.open, result.Tag)
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("device cannot be removed; remove all of the account's with 'gatepass account devices revoke NAME --all'",
			"account", r.name, "error", result.Err)
	default:
		r.again = true
		if !r.told {
			r.told = true
			c.count.storeErrors.Add(1)
			c.options.Logger.Error("device could not be removed; trying again", "account", r.name, "error", result.Err)
		}
	}
}

// removeAgain asks the store again for what it has not done.
func (c *Core) removeAgain() {
	if len(c.removals.open) == 0 {
		return
	}
	for _, tag := range slices.Sorted(maps.Keys(c.removals.open)) { // the same order in each run
		if r := c.removals.open[tag]; r.again {
			r.again = false
			c.ops = append(c.ops, r.op(tag))
		}
	}
}
