package logic

import (
	"gatepass/codec"
	"gatepass/storage"
)

// rememberDevice stores a token for a client's device, once a connection. The
// server draws its name and key, the client its secret.
func (c *Core) rememberDevice(s *session, m *codec.NativeMessage) {
	n := s.native
	if n.device == [16]byte{} || n.remembered || c.options.DeviceLifetime == 0 {
		c.refuse(s, codec.ReplyRefused, codec.ResultProtocol)
		return
	}
	now := c.wall / 1000
	d := &storage.Device{
		ID: n.device, Name: m.Text, Verifier: m.Proof, LastAddr: s.peer,
		Created: now, LastUsed: now, Expires: now + int64(c.options.DeviceLifetime.Seconds()),
	}
	if !c.stock.random(d.Family[:]) || !c.stock.random(d.Key[:]) {
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
		return
	}
	n.remembered, n.remembering = true, d
	c.ops = append(c.ops, storage.Op{Kind: storage.OpAddDevice, Tag: uint64(s.conn), Name: s.name, Device: d})
}

// rememberedDevice takes the store's word.
func (c *Core) rememberedDevice(s *session, r *storage.Result) {
	d := s.native.remembering
	s.native.remembering = nil
	if r.Err != nil {
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("device could not be remembered", "account", s.name, "error", r.Err)
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
		return
	}
	s.native.family = d.Family
	c.reply = codec.Reply{Kind: codec.ReplyRemembered, Native: &codec.NativeReply{
		Family: d.Family, Key: d.Key, Expires: d.Expires,
	}}
	c.send(s)
}

// forgetDevice ends the token of a client's device.
func (c *Core) forgetDevice(s *session) {
	if s.native.family == [16]byte{} {
		return
	}
	c.ops = append(c.ops, storage.Op{Kind: storage.OpRemoveDevice, Name: s.name, Device: &storage.Device{Family: s.native.family}})
	s.native.family = [16]byte{}
}
