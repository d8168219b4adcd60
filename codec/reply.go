package codec

import "fmt"

// Result is the outcome a client is told, in words of no protocol: each codec
// maps it to its own numbers.
type Result uint8

const (
	// ResultOK: accepted.
	ResultOK Result = iota
	// ResultBadCredentials: no such account, wrong password, wrong second
	// factor: a stranger is never told which.
	ResultBadCredentials
	// ResultBanned: closed for good.
	ResultBanned
	// ResultSuspended: closed for a time.
	ResultSuspended
	// ResultLocked: the account is locked, to an address or altogether.
	ResultLocked
	// ResultAlreadyOnline: the account is in use and the rule is to refuse.
	ResultAlreadyOnline
	// ResultVersionInvalid: this build is not accepted.
	ResultVersionInvalid
	// ResultVersionUpdate: a patch is offered.
	ResultVersionUpdate
	// ResultBusy: try again later.
	ResultBusy
	// ResultNoAccess: not allowed in from there.
	ResultNoAccess
	// ResultReplaced: the account has come in by another connection.
	ResultReplaced
	// ResultKicked: an operator has sent the account away.
	ResultKicked
	// ResultIdle: nothing was heard of the client for too long.
	ResultIdle
	// ResultProtocol: what came was no message, or made no sense then.
	ResultProtocol
	// ResultGoingAway: the server goes away.
	ResultGoingAway
	// ResultBadPass: the pass is not known, over or used, or its proof is wrong.
	ResultBadPass
	// ResultFull: the world has no room, not even in its queue.
	ResultFull
	// ResultCount is the number of results, for tables.
	ResultCount
)

var resultNames = [ResultCount]string{
	"ok", "bad-credentials", "banned", "suspended", "locked", "already-online",
	"version-invalid", "version-update", "busy", "no-access", "replaced", "kicked", "idle", "protocol", "going-away",
	"bad-pass", "full",
}

func (r Result) String() string {
	if r < ResultCount {
		return resultNames[r]
	}
	return fmt.Sprintf("result(%d)", uint8(r))
}

// ReplyKind tells what a Reply says.
type ReplyKind uint8

const (
	// ReplyNone is the zero kind: no bytes. A reply of this kind with Close set
	// only closes.
	ReplyNone ReplyKind = iota
	// ReplyLogonChallenge answers KindLogonChallenge; Challenge is set when
	// Result is ResultOK.
	ReplyLogonChallenge
	// ReplyLogonProof answers KindLogonProof; M2 is set when Result is ResultOK.
	ReplyLogonProof
	// ReplyReconnectChallenge answers KindReconnectChallenge;
	// ReconnectData is set when Result is ResultOK.
	ReplyReconnectChallenge
	// ReplyReconnectProof answers KindReconnectProof.
	ReplyReconnectProof
	// ReplyTransferOffer offers a file; Offer is set, and Native for a native client.
	ReplyTransferOffer
	// ReplyWorldChallenge greets a client of a world's gate. World.Seed and Random
	// are set.
	ReplyWorldChallenge
	// ReplyWorldAuth answers KindWorldAuth, once or, while the client stands in a
	// queue, again and again. World.Code is set, and what belongs to it.
	ReplyWorldAuth
	// ReplyWorldPacket is any other packet of a world's gate. World.Opcode and Body
	// are set.
	ReplyWorldPacket
	// ReplyPasswordChallenge and ReplyTokenChallenge answer KindSignIn. Native is set.
	ReplyPasswordChallenge
	ReplyTokenChallenge
	// ReplyAccepted answers a right proof. Native is set.
	ReplyAccepted
	// ReplyRefused tells a native client no: Result is set, and Number is when to
	// try again in milliseconds, 0 for not at all.
	ReplyRefused
	// ReplyFactorWanted asks for the second factor: Factors is FactorToken or
	// FactorPIN.
	ReplyFactorWanted
	// ReplyWelcome says that the client is in. Native is set.
	ReplyWelcome
	// ReplyRemembered brings a token. Native is set.
	ReplyRemembered
	// ReplyCharacters is how many characters the account has. Native is set.
	ReplyCharacters
	// ReplyPassIssued sends the client to the world Number. Native is set.
	ReplyPassIssued
	// ReplySelectRefused says why not to the world Number. Native is set.
	ReplySelectRefused
	// ReplyWorldReleased says that no world holds a pass of the client.
	ReplyWorldReleased
	// ReplyQueuePosition is the place in the queue, Number.
	ReplyQueuePosition
	// ReplyEntered says that the client is in the world Number.
	ReplyEntered
	// ReplyNotice is text of an operator. Native is set.
	ReplyNotice
	// ReplyKicked says why the connection is closed: Result is set.
	ReplyKicked
	// ReplyGoingAway says when to come back: Number is in milliseconds.
	ReplyGoingAway
	// ReplyPong answers KindPing with Number.
	ReplyPong
	// ReplyGateChallenge greets a client of a world's native gate: Native is set,
	// Number is the world.
	ReplyGateChallenge
	// ReplyGateAccepted answers KindGateHello. Native is set.
	ReplyGateAccepted
	// ReplyGamePacket is a packet of the game. Native is set.
	ReplyGamePacket
	// ReplyTransferQueued tells a native client its place in the line for the file,
	// Number: 1 is next.
	ReplyTransferQueued
	// ReplyTransferDone says that a native client has the whole file and is to apply it.
	ReplyTransferDone
	// ReplyTransferFailed says why a native client gets no more of the file: Ended is
	// set.
	ReplyTransferFailed
	// ReplyKindCount is the number of kinds, for tables.
	ReplyKindCount
)

var replyKindNames = [ReplyKindCount]string{
	"none", "logon-challenge", "logon-proof", "reconnect-challenge", "reconnect-proof", "transfer-offer",
	"world-challenge", "world-auth", "world-packet",
	"password-challenge", "token-challenge", "accepted", "refused", "factor-wanted", "welcome", "remembered", "characters",
	"pass-issued", "select-refused", "world-released", "queue-position", "entered", "notice", "kicked", "going-away", "pong",
	"gate-challenge", "gate-accepted", "game-packet", "transfer-queued", "transfer-done", "transfer-failed",
}

func (k ReplyKind) String() string {
	if k < ReplyKindCount {
		return replyKindNames[k]
	}
	return fmt.Sprintf("reply(%d)", uint8(k))
}

// Challenge is the server's half of the key exchange, in wire order.
type Challenge struct {
	B       [32]byte
	Salt    [32]byte
	CRCSalt [16]byte
	// Factors are the second factors the server insists on.
	Factors Factors
	// PINSeed and PINSalt belong to FactorPIN.
	PINSeed uint32
	PINSalt [16]byte
	// The Matrix fields belong to FactorMatrix.
	MatrixWidth, MatrixHeight, MatrixDigits, MatrixCells uint8
	MatrixSeed                                           uint64
}

// Reply is one thing the server says to one client, before it has bytes. Like
// Message it is a plain value, but for World, which is set for the kinds of a
// world's gate only and is never changed once queued.
type Reply struct {
	Kind      ReplyKind
	Result    Result
	Challenge Challenge
	M2        [20]byte
	// AccountFlags, SurveyID and LoginFlags end a good logon proof, where the
	// client's version has them.
	AccountFlags  uint32
	SurveyID      uint32
	LoginFlags    uint16
	ReconnectData [16]byte
	Offer         TransferOffer
	Ended         TransferEnd
	World         *WorldReply
	// Number is what the native kinds say it is.
	Number uint64
	// Factors are those that ReplyFactorWanted asks for.
	Factors Factors
	Native  *NativeReply
}
