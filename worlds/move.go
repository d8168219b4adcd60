package worlds

import (
	"encoding/hex"
	"fmt"

	"gatepass/codec"
)

// Stamp orders the logins of one account: a later login has a greater stamp. It is the
// time of the login in milliseconds, followed by 22 random bits.
type Stamp uint64

// NewStamp returns a stamp from a wall time in Unix milliseconds and random bits.
func NewStamp(unixMilli int64, random uint32) Stamp {
	return Stamp(uint64(unixMilli)<<22 | uint64(random&(1<<22-1)))
}

// PassID identifies one move of one key. It is random and never used twice.
type PassID [16]byte

func (p PassID) String() string { return hex.EncodeToString(p[:]) }

// MoveKind is the kind of a Move. H is the node that holds the key, T the node that
// takes it.
type MoveKind uint8

const (
	// MoveClaim, T → H: T asks for the key and sends the client's proof.
	MoveClaim MoveKind = iota + 1
	// MoveOffer, H → T: H sends the key. T may not use it yet.
	MoveOffer
	// MoveAccept, T → H: T has stored the key as pending.
	MoveAccept
	// MoveCommit, H → T: H has wiped its copy. T may use the key.
	MoveCommit
	// MoveLive, T → H: the key is live at T. The client may connect.
	MoveLive
	// MoveUsed, T → H: the client has entered with the key.
	MoveUsed
	// MoveRecall, H → T: T must drop the key, because the client goes elsewhere.
	MoveRecall
	// MoveRecalled, T → H: T has dropped the key or never had it.
	MoveRecalled
	// MoveRefuse, either way: refusal with a Reason. The pass is dead at the sender.
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
	// ReasonNone: no failure.
	ReasonNone Reason = iota
	// ReasonUnknown: the sender does not have this key or pass, or no longer.
	ReasonUnknown
	// ReasonProof: the client's proof is wrong.
	ReasonProof
	// ReasonBusy: the key is moving to another node. Try again.
	ReasonBusy
	// ReasonForeign: this node does not accept that from the other node.
	ReasonForeign
	// ReasonFull: there is no room for more passes.
	ReasonFull
	// ReasonUsed: the pass is already used and cannot be recalled.
	ReasonUsed
	// ReasonExpired: the validity of the pass is over.
	ReasonExpired
	// ReasonReplaced: a newer login or an End has removed the key.
	ReasonReplaced
	// ReasonTimeout: no answer arrived in time.
	ReasonTimeout
	// ReasonRecalled: the client goes elsewhere or has gone.
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

// Proof is a client's proof to T that it has the key. H checks it before it gives up
// the key. A world therefore gets only the keys of clients that connect to it.
type Proof struct {
	// World is set for a client at a world's gate (protocol page, 17.2). Otherwise the
	// proof is that of a reconnect (8.1).
	World bool
	// ClientSeed and ServerSeed are as sent. Digest is from the client.
	ClientSeed, ServerSeed [4]byte
	// Client is the client's random data of a reconnect, Challenge the server's.
	Client, Challenge [16]byte
	Digest            [20]byte
}

// Move is one message about one pass. The bus can lose, repeat, delay and reorder
// messages.
type Move struct {
	Kind    MoveKind
	Pass    PassID
	Account codec.Name
	Stamp   Stamp
	// Hop is how many nodes had the key before T.
	Hop uint32
	// Key is set in MoveOffer only.
	Key Secret
	// Proof is set in MoveClaim only.
	Proof *Proof
	// Validity is set in MoveOffer: how long the pass may stay unused, in milliseconds.
	// It is 0 for a claimed key, which counts as used at once.
	Validity uint32
	// Ticket is T's number for its acceptance of the offer, never used twice. T draws
	// it with MoveAccept, and every later message between the two repeats it. A delayed
	// message for one acceptance therefore has no effect on another. It is 0 before
	// MoveAccept.
	Ticket uint64
	// Voucher is set in a login server's MoveCommit to a world, and in the MoveOffer of
	// a world that gives back a key.
	Voucher Voucher
	// Reason is set in MoveRefuse only.
	Reason Reason
}
