package codec

import (
	"fmt"
	"log/slog"
)

// Protocol is the protocol that a connection uses.
type Protocol uint8

const (
	// ProtocolGrunt is the protocol of existing clients at a login server.
	ProtocolGrunt Protocol = iota
	// ProtocolNative is gatepass's own protocol, at a login server and at a gate.
	ProtocolNative
	// ProtocolWorld is the protocol of existing clients at a world's gate.
	ProtocolWorld
	// ProtocolCount is the number of protocols, for tables.
	ProtocolCount
)

var protocolNames = [ProtocolCount]string{"grunt", "native", "world"}

func (p Protocol) String() string {
	if p < ProtocolCount {
		return protocolNames[p]
	}
	return fmt.Sprintf("protocol(%d)", uint8(p))
}

// The sizes of the native protocol, in bytes.
const (
	// NonceSize is the size of a nonce, of client or server.
	NonceSize = 32
	// MaxGroup is the size of the largest number in a key exchange: 4096 bits.
	MaxGroup = 512
	// TokenProofSize is the size of a sealed proof of a token: secret, fallback, the next
	// verifier, and the tag of the seal.
	TokenProofSize = 3*32 + 16
	// MaxCode is the longest second factor.
	MaxCode = 16
	// MaxDeviceName is the longest name of a device.
	MaxDeviceName = 64
)

// NativeMessage has the data of a native client's message that has no field in Message. It is
// set for the kinds that say so. It is newly allocated and aliases no read buffer. Formatting
// or logging it shows none of its contents.
type NativeMessage struct {
	// Nonce is the client's, for KindSignIn and KindGateHello.
	Nonce [NonceSize]byte
	// Device is the id of the client's device, zero for none, for KindSignIn.
	Device [16]byte
	// Family is the token's, where ByToken is set, for KindSignIn.
	Family  [16]byte
	ByToken bool
	// TakesUpdates says that the server may offer a file to the client, for KindSignIn.
	TakesUpdates bool
	// PublicKey is A, with the length of the group's prime, and Proof is M1, for
	// KindPasswordProof. Proof is also the client's proof for KindGateHello, and the first
	// verifier for KindRememberDevice.
	PublicKey []byte
	Proof     [32]byte
	// Sealed is the proof of a token, for KindTokenProof.
	Sealed [TokenProofSize]byte
	// Transcript is the hash of all bodies that both sides have sent in the clear. It includes
	// this message for KindPasswordProof and KindGateHello. It does not include it for
	// KindTokenProof; After is the hash that does.
	Transcript, After [32]byte
	// Text is the code for KindFactorCode, the device's name for KindRememberDevice.
	Text string
	// Pass is the pass's id, for KindGateHello.
	Pass [16]byte
	// Opcode and Body are a packet of the game, for KindGamePacket. Body is nil if the
	// packet's body is empty.
	Opcode uint16
	Body   []byte
}

// String returns a fixed text for logs, without any contents.
func (NativeMessage) String() string { return "native-message" }

// GoString is String: %#v must not show it either.
func (NativeMessage) GoString() string { return "native-message" }

// LogValue is String.
func (NativeMessage) LogValue() slog.Value { return slog.StringValue("native-message") }

// MarshalText is String.
func (NativeMessage) MarshalText() ([]byte, error) { return []byte("native-message"), nil }

// ChannelKeys are the keys of a sealed channel. Formatting or logging them shows no key.
type ChannelKeys struct {
	// ToServer seals the frames of the client, ToClient those of the server.
	ToServer, ToClient [32]byte
}

// Wipe overwrites the keys.
func (k *ChannelKeys) Wipe() { *k = ChannelKeys{} }

func (ChannelKeys) String() string               { return "[keys]" }
func (ChannelKeys) GoString() string             { return "[keys]" }
func (ChannelKeys) LogValue() slog.Value         { return slog.StringValue("[keys]") }
func (ChannelKeys) MarshalText() ([]byte, error) { return []byte("[keys]"), nil }

// NativeReply has the data of a reply to a native client that has no field in Reply. It is set
// for the kinds that say so. It must not change once it is queued, except Keys: the codec
// takes them and wipes them.
type NativeReply struct {
	// Nonce is the nonce of the server or the gate, for ReplyPasswordChallenge,
	// ReplyTokenChallenge and ReplyGateChallenge.
	Nonce [NonceSize]byte
	// Group is the size of the group in bits. Salt, Memory (KiB), Passes and Lanes are the
	// parameters of x. PublicKey is B. For ReplyPasswordChallenge.
	Group                 uint16
	Salt                  [32]byte
	Memory, Passes, Lanes uint32
	PublicKey             []byte
	// Proof is the proof of the server or the gate, for ReplyAccepted and ReplyGateAccepted.
	// All bytes after that reply are sealed with Keys.
	Proof [32]byte
	Keys  ChannelKeys
	// PingEvery is in milliseconds. Remembers says that the server can remember devices. For
	// ReplyWelcome.
	PingEvery uint32
	Remembers bool
	// Family, Key and Expires (Unix seconds) are for ReplyRemembered.
	Family  [16]byte
	Key     [32]byte
	Expires int64
	// Pass, Address, Validity (milliseconds) are for ReplyPassIssued.
	Pass     [16]byte
	Address  string
	Validity uint32
	// Reason and Alternatives (worlds, at most 8) are for ReplySelectRefused.
	Reason       SelectReason
	Alternatives []uint8
	// Text is for ReplyNotice.
	Text string
	// Update is for ReplyTransferOffer. Many replies share one value.
	Update *UpdateOffer
	// Counts are for ReplyCharacters.
	Counts []CharacterCount
	// Opcode and Body are for ReplyGamePacket.
	Opcode uint16
	Body   []byte
}

// String returns a fixed text for logs, without any contents.
func (NativeReply) String() string { return "native-reply" }

// GoString is String.
func (NativeReply) GoString() string { return "native-reply" }

// LogValue is String.
func (NativeReply) LogValue() slog.Value { return slog.StringValue("native-reply") }

// MarshalText is String.
func (NativeReply) MarshalText() ([]byte, error) { return []byte("native-reply"), nil }

// CharacterCount is the number of characters of an account in a world.
type CharacterCount struct{ World, Count uint8 }

// SelectReason is the reason why a client gets no pass. The numbers are those of the contract.
type SelectReason uint8

const (
	// SelectUnknown: there is no such world.
	SelectUnknown SelectReason = iota + 1
	// SelectOffline: the world is not connected at the moment.
	SelectOffline
	// SelectMismatch: the world does not accept this client's build.
	SelectMismatch
	// SelectFull: the world's queue is full, or the world accepts no more clients.
	SelectFull
	// SelectTimeout: the world did not answer in time.
	SelectTimeout
	// SelectBusy: an earlier selection is still in progress.
	SelectBusy
	// SelectExpired: the pass was not used in time.
	SelectExpired
	// SelectReasonCount is the number of reasons, for tables.
	SelectReasonCount
)

var selectReasonNames = [SelectReasonCount]string{
	"none", "unknown", "offline", "mismatch", "full", "timeout", "busy", "expired",
}

func (r SelectReason) String() string {
	if r < SelectReasonCount {
		return selectReasonNames[r]
	}
	return fmt.Sprintf("select-reason(%d)", uint8(r))
}
