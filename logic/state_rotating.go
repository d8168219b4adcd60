package logic

import (
	"errors"
	"time"

	"gatepass/codec"
	"gatepass/storage"
)

// rotating waits until the token that a client has just used is replaced on disk:
// each is good for one sign-in, also when two come with it at once.
type rotating struct{}

func (rotating) Enter(c *Core, s *session) {
	n := s.attempt.native
	c.ops = append(c.ops, storage.Op{
		Kind: storage.OpRotateDevice, Tag: uint64(s.conn), Name: s.name, At: c.wall / 1000, Addr: s.peer,
		Device: &storage.Device{Family: n.device.Family, Verifier: n.next}, Expect: n.device.Verifier,
	})
}

func (rotating) Leave(*Core, *session) {}

func (rotating) Limit(o *Options) time.Duration { return o.WorkLimit }

// Process is never called: no message is valid here.
func (rotating) Process(*Core, *session, *codec.Message) {}

// rotated takes the store's word.
func (c *Core) rotated(s *session, r *storage.Result) {
	switch {
	case r.Err == nil && s.tooOld():
		c.become(s, StateUpdating)
	case r.Err == nil:
		c.ops = append(c.ops, c.loginOp(s, 0))
		c.admit(s)
	case errors.Is(r.Err, storage.ErrConflict):
		// Another sign-in was quicker: this client's own, whose end it has not heard, or
		// somebody else's. When it tries again, it is told which.
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
	case errors.Is(r.Err, storage.ErrNotFound):
		c.signal(Signal{Kind: SignalTokenFailed, session: s})
		c.refuse(s, codec.ReplyRefused, codec.ResultBadCredentials)
	default:
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("token could not be replaced", "account", s.name, "error", r.Err)
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
	}
}
