package logic

import (
	"context"
	"fmt"
	"log/slog"

	"gatepass/codec"
	"gatepass/storage"
)

// SignalKind tells what has happened.
type SignalKind uint8

const (
	// SignalLoggedIn: a client was let in by password.
	SignalLoggedIn SignalKind = iota
	// SignalReconnected: a client was let in by the key of an earlier login.
	SignalReconnected
	// SignalProofFailed: a password proof was wrong.
	SignalProofFailed
	// SignalFactorFailed: a second factor was wrong, missing or not asked for;
	// the password was right.
	SignalFactorFailed
	// SignalReproofFailed: a reconnect proof was wrong, or there was no key.
	SignalReproofFailed
	// SignalTokenLoggedIn: a native client was let in by the token of its device.
	SignalTokenLoggedIn
	// SignalTokenFailed: there is no such token, it has expired, or its proof was wrong.
	SignalTokenFailed
	// SignalTokenReplayed: a token came that was used before; its family was ended.
	SignalTokenReplayed
	// SignalUpdateOffered: a client that is too old was offered a file.
	SignalUpdateOffered
	// SignalUpdateDone: a client was sent the whole file.
	SignalUpdateDone
	// SignalUpdateCancelled: a client declined the file, or cancelled the transfer.
	SignalUpdateCancelled
	// SignalUpdateFailed: a client gets no more of the file; version.ended says why.
	SignalUpdateFailed
	// SignalRefused: a client was refused; Signal.End says why.
	SignalRefused
	// SignalKicked: a client was sent away; Signal.Why says why.
	SignalKicked
	// SignalKindCount is the number of kinds, for tables.
	SignalKindCount
)

var signalNames = [SignalKindCount]string{
	"logged-in", "reconnected", "proof-failed", "factor-failed", "reproof-failed", "token-logged-in", "token-failed",
	"token-replayed", "update-offered", "update-done", "update-cancelled", "update-failed", "refused", "kicked",
}

func (k SignalKind) String() string {
	if k < SignalKindCount {
		return signalNames[k]
	}
	return fmt.Sprintf("signal(%d)", uint8(k))
}

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

// signals tells the slots what has happened.
type signals struct {
	base
	slots slots
	audit bool // whether the log takes a line a login
	// running are the kinds that are being signalled, and level how many.
	running uint16
	level   int
}

// slot acts on a signal. What it does to the outside it does by effects.
type slot func(p *signals, sig Signal)

// slots are called in this order.
type slots [SignalKindCount][]slot

// raise tells every slot what has happened, at once and in the slots' order.
// What a slot does cannot undo it. A slot may signal in turn, to a fixed depth,
// but not what is being signalled already: that is a loop, which is counted,
// reported and cut.
func (p *signals) raise(sig Signal) {
	bit := uint16(1) << sig.Kind
	if p.running&bit != 0 || p.level == signalDepth {
		p.count.signalLoops.Add(1)
		p.options.Logger.Error("signal loop cut", "signal", sig.Kind, "depth", p.level)
		return
	}
	p.running |= bit
	p.level++
	for _, slot := range p.slots[sig.Kind] {
		slot(p, sig)
	}
	p.level--
	p.running &^= bit
}

// reset forgets what is being signalled, after a bug.
func (p *signals) reset() { p.running, p.level = 0, 0 }

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

func countOutcome(p *signals, sig Signal) { p.count.signals[sig.Kind].Add(1) }

func countRefusal(p *signals, sig Signal) {
	p.count.signals[sig.Kind].Add(1)
	p.count.refused[sig.result()].Add(1)
}

func countUpdateFailure(p *signals, sig Signal) {
	p.count.signals[sig.Kind].Add(1)
	p.count.updateFailures[sig.session.version.ended].Add(1)
	if p.audit {
		s := sig.session
		p.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build, "why", s.version.ended)
	}
}

// recordFailure notes a wrong password or factor for an account that exists. Nothing is
// noted for one that does not: a stranger's guesses fill no disk.
func recordFailure(p *signals, sig Signal) {
	if s := sig.session; s.attempt.known {
		p.effects.request(storage.Op{Kind: storage.OpLoginFailed, Name: s.name, At: p.wall / 1000, Addr: s.peer})
	}
}

func auditOutcome(p *signals, sig Signal) {
	if p.audit {
		s := sig.session
		p.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build)
	}
}

// warnReplay tells the operator that somebody has a copy of a token: the player's
// device, or the player's backup of it, is in other hands.
func warnReplay(p *signals, sig Signal) {
	s := sig.session
	p.options.Logger.Warn("a device's token was used a second time; its tokens were ended", "audit", true, "account", s.name, "peer", s.peer)
}

func auditRefusal(p *signals, sig Signal) {
	if p.audit {
		s := sig.session
		p.options.Logger.Debug(sig.Kind.String(), "account", s.name, "peer", s.peer, "build", s.build, "result", sig.result())
	}
}

func auditKick(p *signals, sig Signal) {
	s := sig.session
	level := slog.LevelInfo
	if endings[sig.End].byClient {
		level = slog.LevelDebug // a client must not be able to fill the log
	}
	p.options.Logger.Log(context.Background(), level, sig.Kind.String(), "account", s.name, "peer", s.peer, "why", sig.Why)
}
