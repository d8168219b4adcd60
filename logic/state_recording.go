package logic

import (
	"errors"
	"time"

	"gatepass/codec"
	"gatepass/storage"
)

// recording holds the answer back until the login's record is on disk.
type recording struct{}

func (recording) Enter(c *Core, s *session) {
	op := c.loginOp(s, uint64(s.conn))
	op.Synced = true
	c.ops = append(c.ops, op)
}

func (recording) Leave(*Core, *session) {}

func (recording) Limit(o *Options) time.Duration { return o.WorkLimit }

// Process is never called: no message is valid here.
func (recording) Process(*Core, *session, *codec.Message) {}

func (c *Core) loginOp(s *session, tag uint64) storage.Op {
	return storage.Op{Kind: storage.OpLogin, Tag: tag, Name: s.name, At: c.wall / 1000, Addr: s.peer}
}

// recorded takes the store's word.
func (c *Core) recorded(s *session, r *storage.Result) {
	switch {
	case errors.Is(r.Err, storage.ErrFailed):
		// The disk takes no writes. Players may come in all the same: the store counts
		// the records that it drops, and says what is wrong.
	case r.Err != nil:
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("login could not be recorded", "account", s.name, "error", r.Err)
		c.refuse(s, codec.ReplyLogonProof, codec.ResultBusy)
		return
	}
	c.admit(s)
}

// admit lets a proven client in: its key goes to the keyring before the reply
// is sent, because it may be asked for at once.
func (c *Core) admit(s *session) {
	if s.native != nil {
		c.admitNative(s)
		return
	}
	c.holdKey(s)
	c.reply = codec.Reply{Kind: codec.ReplyLogonProof, M2: s.attempt.m2, AccountFlags: accountFlags}
	c.become(s, StateChoosing)
	c.signal(Signal{Kind: SignalLoggedIn, session: s})
	c.send(s)
}

// accountFlags is what every client is told of its account: the "pro pass" bit
// that the servers of the family always send (protocol page, 7.2).
const accountFlags = 0x00800000
