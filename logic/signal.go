package logic

import "fmt"

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
	// SignalTokenFailed: there is no such token, it is over, or its proof was wrong.
	SignalTokenFailed
	// SignalTokenReplayed: a token came that was used before; its family was ended.
	SignalTokenReplayed
	// SignalUpdateOffered: a client that is too old was offered a file.
	SignalUpdateOffered
	// SignalUpdateDone: a client has got the whole file.
	SignalUpdateDone
	// SignalUpdateCancelled: a client has declined the file, or has had enough of it.
	SignalUpdateCancelled
	// SignalUpdateFailed: a client gets no more of the file; version.ended says why.
	SignalUpdateFailed
	// SignalRefused: a client was told no; Signal.End says why.
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

// signal tells every slot what has happened, at once and in the slots' order.
// What a slot does cannot undo it. A slot may signal in turn, to a fixed depth,
// but not what is being signalled already: that is a loop, which is counted,
// reported and cut.
func (c *Core) signal(sig Signal) {
	bit := uint16(1) << sig.Kind
	if c.signalling&bit != 0 || c.signalLevel == signalDepth {
		c.count.signalLoops.Add(1)
		c.options.Logger.Error("signal loop cut", "signal", sig.Kind, "depth", c.signalLevel)
		return
	}
	c.signalling |= bit
	c.signalLevel++
	for _, slot := range c.slots[sig.Kind] {
		slot(c, sig)
	}
	c.signalLevel--
	c.signalling &^= bit
}
