package worlds

import (
	"encoding/hex"
	"fmt"

	"gatepass/codec"
)

// Stamp tells the keys of one account's logins apart: a later login has a
// greater one. It is the time of the login in milliseconds, 22 random bits
// behind it.
type Stamp uint64

// NewStamp makes a stamp of a wall time in Unix milliseconds and random bits.
func NewStamp(unixMilli int64, random uint32) Stamp {
	return Stamp(uint64(unixMilli)<<22 | uint64(random&(1<<22-1)))
}

// PassID names one move of one key; it is random and never used twice.
type PassID [16]byte

func (p PassID) String() string { return hex.EncodeToString(p[:]) }

// MoveKind is what a Move says. H is the node that holds the key, T the one that
// takes it.
type MoveKind uint8

const (
	// MoveClaim, T → H: let me have it; here is the client's proof.
	MoveClaim MoveKind = iota + 1
	// MoveOffer, H → T: here it is; it is not yours yet.
	MoveOffer
	// MoveAccept, T → H: I have stored it as pending.
	MoveAccept
	// MoveCommit, H → T: my copy is gone, it is yours.
	MoveCommit
	// MoveLive, T → H: it is mine now; the client may come.
	MoveLive
	// MoveUsed, T → H: the client has come in with it.
	MoveUsed
	// MoveRecall, H → T: drop it, the client goes elsewhere.
	MoveRecall
	// MoveRecalled, T → H: I have dropped it, or never had it.
	MoveRecalled
	// MoveRefuse, either way: no, for Reason. That pass is dead where it is said.
	MoveRefuse
	// MoveKindCount is the number of kinds, for tables.
	MoveKindCount
)

var moveNames = [MoveKindCount]string{
	"none", "claim", "offer", "accept", "commit", "live", "used", "recall", "recalled", "refuse",
}

func (k MoveKind) String() string {
	if k < MoveKindCount {
		return moveNames[k]
	}
	return fmt.Sprintf("move(%d)", uint8(k))
}

// Reason says why a move was refused or has failed.
type Reason uint8

const (
	// ReasonNone: it was not.
	ReasonNone Reason = iota
	// ReasonUnknown: there is no such key or pass here (any more).
	ReasonUnknown
	// ReasonProof: the client's proof is wrong.
	ReasonProof
	// ReasonBusy: the key is on its way elsewhere; try again.
	ReasonBusy
	// ReasonForeign: this node does not take that from that one.
	ReasonForeign
	// ReasonFull: no room for more passes.
	ReasonFull
	// ReasonUsed: the pass was used already, it cannot be called back.
	ReasonUsed
	// ReasonExpired: its validity is over.
	ReasonExpired
	// ReasonReplaced: a newer login, or an end, has done away with the key.
	ReasonReplaced
	// ReasonTimeout: no answer within the bound.
	ReasonTimeout
	// ReasonRecalled: the client goes elsewhere, or has gone.
	ReasonRecalled
	// ReasonCount is the number of reasons, for tables.
	ReasonCount
)

var reasonNames = [ReasonCount]string{
	"none", "unknown", "proof", "busy", "foreign", "full", "used", "expired", "replaced", "timeout",
	"recalled",
}

func (r Reason) String() string {
	if r < ReasonCount {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Proof is how a client proved to T that it has the key, for H to check before
// it lets go of it: so a world gets only the keys of clients that knock there.
type Proof struct {
	// World is set for a client at a world's gate (protocol page, 17.2), else the
	// proof is that of a reconnect (8.1).
	World bool
	// ClientSeed and ServerSeed are as sent; Digest is the client's.
	ClientSeed, ServerSeed [4]byte
	// Client is what the client drew for a reconnect, Challenge what it was sent.
	Client, Challenge [16]byte
	Digest            [20]byte
}

// Move is one message about one pass. Messages may be lost, doubled, delayed and
// reordered.
type Move struct {
	Kind    MoveKind
	Pass    PassID
	Account codec.Name
	Stamp   Stamp
	// Hop is how many nodes had the key before T.
	Hop uint32
	// Key is set for MoveOffer only.
	Key Secret
	// Proof is set for MoveClaim only.
	Proof *Proof
	// Validity is for MoveOffer: how long the pass may stay unused, in
	// milliseconds; 0 for a key that was claimed, which counts as used at once.
	Validity uint32
	// Ticket is T's number of its accepting the offer, never used twice. T draws it
	// with MoveAccept, and every later message between the two repeats it: so what
	// was meant for one accepting, delayed however long, has no effect on another.
	// 0 before.
	Ticket uint64
	// Voucher is set where a login server says MoveCommit to a world, and where a world
	// that was handed a key gives it back with MoveOffer.
	Voucher Voucher
	// Reason is set for MoveRefuse only.
	Reason Reason
}
