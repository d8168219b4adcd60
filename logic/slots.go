package logic

import (
	"context"
	"log/slog"

	"gatepass/codec"
	"gatepass/storage"
)

// Signal is a fact.
type Signal struct {
	Kind    SignalKind
	session *session
	// End is why the session ends, for SignalRefused, SignalKicked and the updates that
	// end, and Why the text of it for the log.
	End endReason
	Why string
}

// result is what the client is told.
func (sig *Signal) result() codec.Result {
	return endings[sig.End].results[sig.session.protocol]
}

// slot acts on a signal. What it has to say to the outside it says by effects.
type slot func(c *Core, sig Signal)

// slots are called in this order.
type slots [SignalKindCount][]slot

func defaultSlots() slots {
	return slots{
		SignalLoggedIn:      {countOutcome, auditOutcome},
		SignalReconnected:   {countOutcome, auditOutcome},
		SignalProofFailed:   {countOutcome, recordFailure},
		SignalFactorFailed:  {countOutcome, recordFailure},
		SignalReproofFailed: {countOutcome},
		SignalTokenLoggedIn: {countOutcome, auditOutcome},
		SignalTokenFailed:   {countOutcome},
		SignalTokenReplayed: {countOutcome, warnReplay},
		SignalUpdateOffered: {countOutcome, auditOutcome}, SignalUpdateDone: {countOutcome, auditOutcome},
		SignalUpdateCancelled: {countOutcome, auditOutcome}, SignalUpdateFailed: {countUpdateFailure},
		SignalRefused: {countRefusal, auditRefusal},
		SignalKicked:  {countOutcome, auditKick},
	}
}

func countOutcome(c *Core, sig Signal) { c.count.signals[sig.Kind].Add(1) }

func countRefusal(c *Core, sig Signal) {
	c.count.signals[sig.Kind].Add(1)
	c.count.refused[sig.result()].Add(1)
}

func countUpdateFailure(c *Core, sig Signal) {
	c.count.signals[sig.Kind].Add(1)
	c.count.updateFailures[sig.session.version.ended].Add(1)
	if c.audit {
		s := sig.session
		c.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build, "why", s.version.ended)
	}
}

// recordFailure notes a wrong password or factor for an account that exists. Nothing is
// noted for one that does not: a stranger's guesses fill no disk.
func recordFailure(c *Core, sig Signal) {
	if s := sig.session; s.attempt.known {
		c.ops = append(c.ops, storage.Op{Kind: storage.OpLoginFailed, Name: s.name, At: c.wall / 1000, Addr: s.peer})
	}
}

func auditOutcome(c *Core, sig Signal) {
	if c.audit {
		s := sig.session
		c.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build)
	}
}

// warnReplay tells the operator that somebody has a copy of a token: the player's
// device, or the player's backup of it, is in other hands.
func warnReplay(c *Core, sig Signal) {
	s := sig.session
	c.options.Logger.Warn("a device's token was used a second time; its tokens were ended", "audit", true, "account", s.name, "peer", s.peer)
}

func auditRefusal(c *Core, sig Signal) {
	if c.audit {
		s := sig.session
		c.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build, "result", sig.result())
	}
}

func auditKick(c *Core, sig Signal) {
	s := sig.session
	level := slog.LevelInfo
	if endings[sig.End].byClient {
		level = slog.LevelDebug // a client must not be able to fill the log
	}
	c.options.Logger.Log(context.Background(), level, sig.Kind.String(), "account", s.name, "peer", s.peer, "why", sig.Why)
}
