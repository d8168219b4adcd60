package logic

import (
	"errors"

	"gatepass/codec"
	"gatepass/storage"
)

// remember stores a token for a client's device, once a connection. The
// server draws its name and key, the client its secret.
func (nativeDialect) remember(c *Core, s *session, m *codec.NativeMessage) {
	n := s.native
	if n.device == [16]byte{} || s.method == byToken || n.remembered || c.options.DeviceLifetime == 0 {
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
		c.count.storeErrors.Add(1)
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
