package logic

import (
	"errors"
	"maps"
	"slices"

	"gatepass/codec"
	"gatepass/storage"
)

// remember stores a token for a client's device, once a connection. The
// server draws its name and key, the client its secret.
func (nativeDialect) remember(c *Core, s *session, m *codec.NativeMessage) {
	n := s.native
	if n.device == [16]byte{} || s.method == ByToken || n.remembered || c.options.DeviceLifetime == 0 {
		c.end(s, endProtocol)
		return
	}
	now := c.wall / 1000
	d := &storage.Device{
		ID: n.device, Name: m.Text, Verifier: m.Proof, LastAddr: s.peer,
		Created: now, LastUsed: now, Expires: now + int64(c.options.DeviceLifetime.Seconds()),
	}
	if !c.pool.random(d.Family[:]) || !c.pool.random(d.Key[:]) {
		c.end(s, endBusy)
		return
	}
	n.remembered, n.remembering = true, d
	c.effects.request(storage.Op{Kind: storage.OpAddDevice, Tag: uint64(s.conn), Name: s.name, Device: d, At: now, Proven: n.proven})
}

// remembered handles the store's result.
func (nativeDialect) remembered(c *Core, s *session, r *storage.Result) {
	d := s.native.remembering
	s.native.remembering = nil
	if errors.Is(r.Err, storage.ErrConflict) {
		// The account's password or factors were changed after this client had proven the
		// old ones. The change ends its session, too.
		c.end(s, endCredentialsChanged)
		return
	}
	if r.Err != nil {
		c.counters.storeErrors.Add(1)
		c.options.Logger.Error("device could not be remembered", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
		return
	}
	if s.native.forgotten {
		c.removals.add(s.name, storage.Device{Family: d.Family})
	}
	c.reply = codec.Reply{Kind: codec.ReplyRemembered, Native: &codec.NativeReply{
		Family: d.Family, Key: d.Key, Expires: d.Expires,
	}}
	c.send(s)
}

// forgetDevice ends whatever token there is of a client's device, one that is being
// stored included.
func (nativeDialect) forgetDevice(c *Core, s *session) {
	n := s.native
	if n.forgotten = n.remembering != nil; n.device != [16]byte{} {
		c.removals.add(s.name, storage.Device{ID: n.device})
	}
}

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
