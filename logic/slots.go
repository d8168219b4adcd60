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
	// Result is what the client was told, for SignalRefused, and for SignalKicked what
	// a native client is told, if that is to be more than that it was sent away.
	Result codec.Result
	// Ended is for SignalUpdateFailed.
	Ended codec.TransferEnd
	// Why is for SignalKicked, and byClient says that another login was the
	// reason, not an operator.
	Why      string
	byClient bool
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
	c.count.refused[sig.Result].Add(1)
}

func countUpdateFailure(c *Core, sig Signal) {
	c.count.signals[sig.Kind].Add(1)
	c.count.updateFailures[sig.Ended].Add(1)
	if c.audit {
		s := sig.session
		c.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build, "why", sig.Ended)
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
		c.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build, "result", sig.Result)
	}
}

func auditKick(c *Core, sig Signal) {
	s := sig.session
	level := slog.LevelInfo
	if sig.byClient {
		level = slog.LevelDebug // a client must not be able to fill the log
	}
	c.options.Logger.Log(context.Background(), level, sig.Kind.String(), "account", s.name, "peer", s.peer, "why", sig.Why)
}
