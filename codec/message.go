package codec

import (
	"fmt"
	"net/netip"
)

// Kind is the type of a Message.
type Kind uint8

const (
	// KindNone is the zero Kind. No valid message has it.
	KindNone Kind = iota
	// KindOpened is the first message of every connection. The reactor itself sends it.
	// Message.Peer and Protocol are set.
	KindOpened
	// KindClosed is the last message of every connection. The reactor itself sends it, and no
	// message with that handle follows. Message.Reason is set.
	KindClosed
	// KindLogonChallenge names an account and asks for a full proof.
	// Message.Hello is set.
	KindLogonChallenge
	// KindReconnectChallenge names an account that logged in before.
	// Message.Hello is set.
	KindReconnectChallenge
	// KindLogonProof answers a logon challenge. Message.Proof is set.
	KindLogonProof
	// KindReconnectProof answers a reconnect challenge. Message.Reconnect is
	// set.
	KindReconnectProof
	// KindWorldList asks for the list of worlds.
	KindWorldList
	// KindTransferAccept takes an offered file from its start.
	KindTransferAccept
	// KindTransferResume takes an offered file from byte Message.Number on, which may
	// be 0 and may be beyond its end. Message.Window is set for a native client.
	KindTransferResume
	// KindTransferCancel declines an offered file.
	KindTransferCancel
	// KindSurveyResult answers a survey. The server sends no surveys, so this message is never
	// valid.
	KindSurveyResult
	// KindWorldAuth is the first message to a world's gate: the account that the client
	// claims, and a proof that it holds that account's key. Message.World.Auth is set.
	KindWorldAuth
	// KindWorldPacket is any later packet to a world's gate. Message.World.Opcode
	// and Body are set.
	KindWorldPacket
	// KindSignIn is the first message of a native login. Message.Native is set, and the fields
	// of Message.Hello that the native protocol has.
	KindSignIn
	// KindPasswordProof answers a password challenge. Message.Native is set.
	KindPasswordProof
	// KindTokenProof answers a token challenge. Message.Native is set.
	KindTokenProof
	// KindFactorCode has the second factor that the server asked for. Message.Native is set.
	KindFactorCode
	// KindRememberDevice asks for a token. Message.Native is set.
	KindRememberDevice
	// KindForgetDevice deletes the token of the client's device.
	KindForgetDevice
	// KindSelectWorld selects the world Message.Number.
	KindSelectWorld
	// KindReleaseWorld cancels the selection of a world.
	KindReleaseWorld
	// KindPing asks for a reply with Message.Number.
	KindPing
	// KindGateHello presents a pass to a world's gate. Message.Native is set, and
	// Message.Hello.Build.
	KindGateHello
	// KindGamePacket is a native client's packet for the game. Message.Native is set.
	KindGamePacket
	// KindTransferAck says that a native client has all bytes of the file before byte
	// Message.Number. The reactor handles it, to continue the transfer, and does not pass it
	// on.
	KindTransferAck
	// KindTransferEnded reports the end of a transfer that the reactor was told to begin. The
	// reactor itself sends it, except if the connection ended with the transfer. Message.Ended
	// is set; Number is the offset up to which the file was sent.
	KindTransferEnded
	// KindCount is the number of kinds, for tables indexed by Kind.
	KindCount
)

var kindNames = [KindCount]string{
	"none", "opened", "closed", "logon-challenge", "reconnect-challenge", "logon-proof",
	"reconnect-proof", "world-list", "transfer-accept", "transfer-resume", "transfer-cancel",
	"survey-result", "world-auth", "world-packet",
	"sign-in", "password-proof", "token-proof", "factor-code", "remember-device", "forget-device",
	"select-world", "release-world", "ping", "gate-hello", "game-packet", "transfer-ack", "transfer-ended",
}

func (k Kind) String() string {
	if k < KindCount {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// CloseReason is the reason why a connection ended.
type CloseReason uint8

const (
	// ClosePeer: the client closed it or the network lost it.
	ClosePeer CloseReason = iota
	// CloseLogic: the logic asked for it.
	CloseLogic
	// CloseViolation: the client broke its protocol.
	CloseViolation
	// CloseSlow: the client did not read, and its unsent bytes exceeded the limit.
	CloseSlow
	// CloseFlood: the client sent messages faster than the server handles them.
	CloseFlood
	// CloseOverload: the server's queues were full.
	CloseOverload
	// CloseFault: a bug in gatepass. The connection was closed so that the others can
	// continue.
	CloseFault
	// CloseReasonCount is the number of reasons, for tables.
	CloseReasonCount
)

var closeReasonNames = [CloseReasonCount]string{
	"peer", "logic", "violation", "slow", "flood", "overload", "fault",
}

func (r CloseReason) String() string {
	if r < CloseReasonCount {
		return closeReasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Name is an account name as received: at most MaxName bytes, padded with zeros, without a
// zero byte inside. It is comparable, so it can be a map key.
type Name [MaxName]byte

// NameOf returns b as a Name. ok is false if b is empty, is too long or has a zero byte.
func NameOf[T ~string | ~[]byte](b T) (n Name, ok bool) {
	if len(b) == 0 || len(b) > MaxName {
		return n, false
	}
	for i := range len(b) {
		if b[i] == 0 {
			return Name{}, false
		}
		n[i] = b[i]
	}
	return n, true
}

// Len returns the length in bytes.
func (n *Name) Len() int {
	for i, b := range n {
		if b == 0 {
			return i
		}
	}
	return MaxName
}

// Bytes returns the name without its padding. It aliases n.
func (n *Name) Bytes() []byte { return n[:n.Len()] }

func (n Name) String() string { return string(n.Bytes()) }

// Tag is a four-letter text such as a locale or a platform, in reading order
// and zero padded ("enUS", "x86").
type Tag [4]byte

func (t Tag) String() string {
	n := 0
	for n < len(t) && t[n] != 0 {
		n++
	}
	return string(t[:n])
}

// Hello is the first message of a login: the account that the client claims, and data about
// the client program.
type Hello struct {
	Name     Name
	Major    uint8
	Minor    uint8
	Patch    uint8
	Build    uint16
	Version  uint8 // protocol version byte as sent; not used
	Platform Tag
	System   Tag
	Locale   Tag
	// TimeZone is in minutes east of UTC.
	TimeZone int32
	// ClaimedIP is the address that the client believes it has. It is not used.
	ClaimedIP [4]byte
}

// Factors is a set of second factors.
type Factors uint8

const (
	// FactorPIN is the PIN pad. Its digits may be a TOTP code.
	FactorPIN Factors = 1 << iota
	// FactorMatrix is the matrix card.
	FactorMatrix
	// FactorToken is an authenticator code sent as text.
	FactorToken
)

// Proof answers a logon challenge. All numbers are in wire order.
type Proof struct {
	A       [32]byte // client public key
	M1      [20]byte // password proof
	CRCHash [20]byte // proof over the client's files
	Factors Factors  // which of the fields below the client sent
	PINSalt [16]byte
	PINHash [20]byte
	Matrix  [20]byte
	Token   [MaxToken]byte
	// TokenLen is the number of bytes of Token in use, 0 … MaxToken.
	TokenLen uint8
}

// Reconnect answers a reconnect challenge.
type Reconnect struct {
	R1 [16]byte // the client's random bytes
	R2 [20]byte // proof of the session key
	R3 [20]byte // checksum; does not depend on a secret
}

// Message is one message from a client, or from its reactor on its behalf. It is a plain value
// of some 300 bytes. Queues copy it, and nothing in it aliases a read buffer. The comment of
// each Kind says which fields are set.
type Message struct {
	Conn      Conn
	Kind      Kind
	Reason    CloseReason
	Protocol  Protocol
	Ended     TransferEnd
	Window    uint32
	Peer      netip.AddrPort
	Number    uint64
	Hello     Hello
	Proof     Proof
	Reconnect Reconnect
	World     *WorldMessage
	Native    *NativeMessage
}
