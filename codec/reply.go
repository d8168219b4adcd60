package codec

import "fmt"

// Result is the outcome that a client is sent, independent of the protocol. Each codec maps it
// to its own numbers.
type Result uint8

const (
	// ResultOK: accepted.
	ResultOK Result = iota
	// ResultBadCredentials: no such account, wrong password or wrong second factor. The client
	// cannot tell which of them.
	ResultBadCredentials
	// ResultBanned: the account is closed permanently.
	ResultBanned
	// ResultSuspended: the account is closed temporarily.
	ResultSuspended
	// ResultLocked: the account is locked, either to one address or completely.
	ResultLocked
	// ResultAlreadyOnline: the account is in use, and the server is configured to refuse a
	// second login.
	ResultAlreadyOnline
	// ResultVersionInvalid: this build is not accepted.
	ResultVersionInvalid
	// ResultVersionUpdate: a patch is offered.
	ResultVersionUpdate
	// ResultBusy: try again later.
	ResultBusy
	// ResultNoAccess: logins from this address are not allowed.
	ResultNoAccess
	// ResultReplaced: the account has logged in on another connection.
	ResultReplaced
	// ResultKicked: an operator has disconnected the account.
	ResultKicked
	// ResultIdle: the client sent nothing for too long.
	ResultIdle
	// ResultProtocol: the message was malformed, or not valid in this state.
	ResultProtocol
	// ResultGoingAway: the server shuts down.
	ResultGoingAway
	// ResultBadPass: the pass is unknown, expired or used, or its proof is wrong.
	ResultBadPass
	// ResultFull: the world is full, and so is its queue.
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

// ReplyKind is the type of a Reply.
type ReplyKind uint8

const (
	// ReplyNone is the zero kind. It has no bytes. A reply of this kind with Close set only
	// closes the connection.
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
	// ReplyWorldChallenge is the first reply to a client of a world's gate. World.Seed and
	// Random are set.
	ReplyWorldChallenge
	// ReplyWorldAuth answers KindWorldAuth. It is sent once, or several times while the client
	// waits in a queue. World.Code is set, and the fields that belong to it.
	ReplyWorldAuth
	// ReplyWorldPacket is any other packet of a world's gate. World.Opcode and Body
	// are set.
	ReplyWorldPacket
	// ReplyPasswordChallenge and ReplyTokenChallenge answer KindSignIn. Native is set.
	ReplyPasswordChallenge
	ReplyTokenChallenge
	// ReplyAccepted answers a correct proof. Native is set.
	ReplyAccepted
	// ReplyRefused refuses a native client. Result is set. Number is the time in milliseconds
	// after which it may try again, or 0 if it should not.
	ReplyRefused
	// ReplyFactorWanted asks for the second factor: Factors is FactorToken or
	// FactorPIN.
	ReplyFactorWanted
	// ReplyWelcome says that the client is logged in. Native is set.
	ReplyWelcome
	// ReplyRemembered has a token for the client. Native is set.
	ReplyRemembered
	// ReplyCharacters has the numbers of characters of the account. Native is set.
	ReplyCharacters
	// ReplyPassIssued sends the client to the world Number. Native is set.
	ReplyPassIssued
	// ReplySelectRefused says why the client cannot enter the world Number. Native is set.
	ReplySelectRefused
	// ReplyWorldReleased says that no world holds a pass of the client.
	ReplyWorldReleased
	// ReplyQueuePosition has the client's position in the queue, in Number.
	ReplyQueuePosition
	// ReplyEntered says that the client has entered the world Number.
	ReplyEntered
	// ReplyNotice has a text from an operator. Native is set.
	ReplyNotice
	// ReplyKicked says why the server closes the connection. Result is set.
	ReplyKicked
	// ReplyGoingAway says that the server shuts down, and after how many milliseconds (Number)
	// the client may come back.
	ReplyGoingAway
	// ReplyPong answers KindPing with Number.
	ReplyPong
	// ReplyGateChallenge is the first reply to a client of a world's native gate. Native is
	// set, and Number is the world.
	ReplyGateChallenge
	// ReplyGateAccepted answers KindGateHello. Native is set.
	ReplyGateAccepted
	// ReplyGamePacket is a packet of the game. Native is set.
	ReplyGamePacket
	// ReplyTransferQueued tells a native client its position in the queue for the file, in
	// Number: 1 is next.
	ReplyTransferQueued
	// ReplyTransferDone says that a native client has the whole file and should apply it.
	ReplyTransferDone
	// ReplyTransferFailed says why the transfer of the file to a native client stops. Ended is
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
	// Factors are the second factors that the server requires.
	Factors Factors
	// PINSeed and PINSalt belong to FactorPIN.
	PINSeed uint32
	PINSalt [16]byte
	// The Matrix fields belong to FactorMatrix.
	MatrixWidth, MatrixHeight, MatrixDigits, MatrixCells uint8
	MatrixSeed                                           uint64
}

// Reply is one reply to one client, before it is encoded. Like Message it is a plain value,
// except for World, which is set only for the kinds of a world's gate and is not changed once
// queued, and Native; see NativeReply.
type Reply struct {
	Kind      ReplyKind
	Result    Result
	Challenge Challenge
	M2        [20]byte
	// AccountFlags, SurveyID and LoginFlags are the last fields of a successful logon proof,
	// if the client's version has them.
	AccountFlags  uint32
	SurveyID      uint32
	LoginFlags    uint16
	ReconnectData [16]byte
	Offer         TransferOffer
	Ended         TransferEnd
	World         *WorldReply
	// Number has the meaning that the comment of the native kind gives.
	Number uint64
	// Factors are the second factors that ReplyFactorWanted asks for.
	Factors Factors
	Native  *NativeReply
}
