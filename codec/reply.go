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
	// ResultCount is the number of results, for tables.
	ResultCount
)

var resultNames = [ResultCount]string{
	"ok", "bad-credentials", "banned", "suspended", "locked", "already-online",
	"version-invalid", "version-update", "busy", "no-access",
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
	// ReplyTransferOffer offers a file; Offer is set.
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
	// ReplyKindCount is the number of kinds, for tables.
	ReplyKindCount
)

var replyKindNames = [ReplyKindCount]string{
	"none", "logon-challenge", "logon-proof", "reconnect-challenge", "reconnect-proof", "transfer-offer",
	"world-challenge", "world-auth", "world-packet",
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

// TransferOffer announces a file.
type TransferOffer struct {
	Size uint64
	MD5  [16]byte
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
	World         *WorldReply
}
