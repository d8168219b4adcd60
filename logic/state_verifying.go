package logic

import (
	"errors"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
)

// verifying waits for the auth pool's verdict.
type verifying struct{}

func (verifying) Enter(c *Core, s *session) {
	if n := s.attempt.native; n != nil {
		c.jobs = append(c.jobs, auth.Job{Kind: auth.JobNativeProve, Tag: uint64(s.conn), Native: n.exchange})
		n.exchange = nil // the pool's now
		return
	}
	c.jobs = append(c.jobs, auth.Job{
		Kind:      auth.JobProve,
		Tag:       uint64(s.conn),
		Ephemeral: s.attempt.ephemeral,
		Exchange:  s.attempt.exchange,
	})
	s.attempt.ephemeral.Wipe()
}

func (verifying) Leave(*Core, *session) {}

func (verifying) Limit(o *Options) time.Duration { return o.WorkLimit }

// Process is never called: no message is valid here.
func (verifying) Process(*Core, *session, *codec.Message) {}

// verified takes the verdict.
func (c *Core) verified(s *session, r *auth.Result) {
	switch {
	case r.Err == nil:
		s.attempt.key, s.attempt.m2 = r.Key, r.M2
		c.raise(Event{Kind: EventLoginRequested, conn: s.conn})
	case errors.Is(r.Err, srp6.ErrProof), errors.Is(r.Err, srp6.ErrPublicKey):
		c.signal(Signal{Kind: SignalProofFailed, session: s})
		c.refuse(s, codec.ReplyLogonProof, codec.ResultBadCredentials)
	default:
		c.count.authErrors.Add(1)
		c.options.Logger.Error("proof could not be checked", "account", s.name, "error", r.Err)
		c.refuse(s, codec.ReplyLogonProof, codec.ResultBusy)
	}
}

// requested goes on when no filter objected to the login.
func (c *Core) requested(s *session) {
	if s.byToken() { // its record is as durable as the token that replaces it
		c.become(s, StateRotating)
		return
	}
	if c.options.DurableLogins {
		c.become(s, StateRecording)
		return
	}
	c.ops = append(c.ops, c.loginOp(s, 0))
	c.admit(s)
}
