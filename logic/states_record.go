package logic

import (
	"errors"
	"time"

	"gatepass/storage"
)

// recording delays the reply until the login's record is on disk.
type recording struct{}

func (recording) Enter(c *Core, s *session) {
	op := loginOp(c, s, uint64(s.conn))
	op.Synced = true
	c.effects.request(op)
}

func (recording) Leave(*Core, *session) {}

func (recording) Limit(o *Options) time.Duration { return o.WorkLimit }

func (t recording) Step(c *Core, s *session, in Input) bool {
	if in.Kind != InputStored || in.Stored.Kind != storage.OpLogin {
		return false
	}
	t.stored(c, s, in.Stored)
	return true
}

func loginOp(c *Core, s *session, tag uint64) storage.Op {
	return storage.Op{Kind: storage.OpLogin, Tag: tag, Name: s.name, At: c.wall / 1000, Addr: s.peer}
}

// stored handles the store's result.
func (recording) stored(c *Core, s *session, r *storage.Result) {
	switch {
	case errors.Is(r.Err, storage.ErrFailed):
		// The disk takes no writes. Players may come in all the same: the store counts
		// the records that it drops, and reports what is wrong.
	case r.Err != nil:
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("login could not be recorded", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
		return
	}
	s.dialect().admit(c, s)
}

// rotating waits until the token that a client has just used is replaced on disk:
// each is good for one sign-in, also when two clients come with it at once.
type rotating struct{}

func (rotating) Enter(c *Core, s *session) {
	n := s.attempt.native
	c.effects.request(storage.Op{
		Kind: storage.OpRotateDevice, Tag: uint64(s.conn), Name: s.name, At: c.wall / 1000, Addr: s.peer,
		Device: &storage.Device{Family: n.device.Family, Verifier: n.next}, Expect: n.device.Verifier,
	})
}

func (rotating) Leave(*Core, *session) {}

func (rotating) Limit(o *Options) time.Duration { return o.WorkLimit }

func (t rotating) Step(c *Core, s *session, in Input) bool {
	if in.Kind != InputStored || in.Stored.Kind != storage.OpRotateDevice {
		return false
	}
	t.stored(c, s, in.Stored)
	return true
}

// stored handles the store's result.
func (rotating) stored(c *Core, s *session, r *storage.Result) {
	switch {
	case r.Err == nil && s.tooOld():
		c.become(s, StateUpdating)
	case r.Err == nil:
		c.effects.request(loginOp(c, s, 0))
		s.dialect().admit(c, s)
	case errors.Is(r.Err, storage.ErrConflict):
		// Another sign-in by this token was faster: this client's own, whose connection it
		// lost, or somebody else's. Which of them, the client learns when it tries again.
		c.end(s, endBusy)
	case errors.Is(r.Err, storage.ErrNotFound):
		c.end(s, endTokenFailed)
	default:
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("token could not be replaced", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
	}
}
