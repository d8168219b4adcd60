package codec

import (
	"fmt"
	"log/slog"
)

// Protocol tells which protocol a connection speaks.
type Protocol uint8

const (
	// ProtocolGrunt is the one of existing clients, at a login server.
	ProtocolGrunt Protocol = iota
	// ProtocolNative is gatepass's own, at a login server and at a gate.
	ProtocolNative
	// ProtocolWorld is the one of existing clients at a world's gate.
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
	// NonceSize is a nonce of either side.
	NonceSize = 32
	// MaxGroup is the largest number of a key exchange: 4096 bits.
	MaxGroup = 512
	// TokenProofSize is a sealed proof of a token: secret, fallback and the next
	// verifier, and the seal's tag.
	TokenProofSize = 3*32 + 16
	// MaxCode is the longest second factor.
	MaxCode = 16
	// MaxDeviceName is the longest name of a device.
	MaxDeviceName = 64
)

// NativeMessage is what a native client says that does not fit a Message's own
// fields: it is set for the kinds that say so, newly allocated, and aliases no
// read buffer. No text made of it shows what is in it.
type NativeMessage struct {
	// Nonce is the client's, for KindSignIn and KindGateHello.
	Nonce [NonceSize]byte
	// Device is the client's device, zero for none, for KindSignIn.
	Device [16]byte
	// Family is the token's, where ByToken is set, for KindSignIn.
	Family  [16]byte
	ByToken bool
	// TakesUpdates says that the client can be offered a file, for KindSignIn.
	TakesUpdates bool
	// PublicKey is A, as long as the group's prime, and Proof M1, for
	// KindPasswordProof. Proof is also the client's for KindGateHello, and the first
	// verifier for KindRememberDevice.
	PublicKey []byte
	Proof     [32]byte
	// Sealed is the proof of a token, for KindTokenProof.
	Sealed [TokenProofSize]byte
	// Transcript is the hash of what both sides have said, this message included
	// for KindPasswordProof and KindGateHello, and without it for KindTokenProof,
	// whose own is After.
	Transcript, After [32]byte
	// Text is the code for KindFactorCode, the device's name for KindRememberDevice.
	Text string
	// Pass is the pass's id, for KindGateHello.
	Pass [16]byte
	// Opcode and Body are a packet of the game, for KindGamePacket. Body is nil when
	// it is empty.
	Opcode uint16
	Body   []byte
}

// String is for logs; it shows nothing that was said.
func (NativeMessage) String() string { return "native-message" }

// GoString is String: %#v must not show it either.
func (NativeMessage) GoString() string { return "native-message" }

// LogValue is String.
func (NativeMessage) LogValue() slog.Value { return slog.StringValue("native-message") }

// MarshalText is String.
func (NativeMessage) MarshalText() ([]byte, error) { return []byte("native-message"), nil }

// ChannelKeys are the keys of a sealed channel. They show themselves to nobody.
type ChannelKeys struct {
	// ToServer seals what the client says, ToClient what it is told.
	ToServer, ToClient [32]byte
}

// Wipe overwrites the keys.
func (k *ChannelKeys) Wipe() { *k = ChannelKeys{} }

func (ChannelKeys) String() string               { return "[keys]" }
func (ChannelKeys) GoString() string             { return "[keys]" }
func (ChannelKeys) LogValue() slog.Value         { return slog.StringValue("[keys]") }
func (ChannelKeys) MarshalText() ([]byte, error) { return []byte("[keys]"), nil }

// NativeReply is what a native client is told that does not fit a Reply's own
// fields. It is set for the kinds that say so and never changed once queued, but
// for Keys, which the codec wipes when it has taken them.
type NativeReply struct {
	// Nonce is the server's, for ReplyPasswordChallenge, ReplyTokenChallenge and
	// ReplyGateChallenge.
	Nonce [NonceSize]byte
	// Group is the size of the group in bits; Salt, Memory (KiB), Passes and Lanes
	// belong to x; PublicKey is B. For ReplyPasswordChallenge.
	Group                 uint16
	Salt                  [32]byte
	Memory, Passes, Lanes uint32
	PublicKey             []byte
	// Proof is the server's or the gate's, for ReplyAccepted and ReplyGateAccepted;
	// from the bytes behind that reply on everything is sealed under Keys.
	Proof [32]byte
	Keys  ChannelKeys
	// PingEvery is in milliseconds, Remembers says that devices can be remembered,
	// for ReplyWelcome.
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
	// Update is for ReplyTransferOffer. Many replies share one.
	Update *UpdateOffer
	// Counts are for ReplyCharacters.
	Counts []CharacterCount
	// Opcode and Body are for ReplyGamePacket.
	Opcode uint16
	Body   []byte
}

// String is for logs; it shows nothing of it.
func (NativeReply) String() string { return "native-reply" }

// GoString is String.
func (NativeReply) GoString() string { return "native-reply" }

// LogValue is String.
func (NativeReply) LogValue() slog.Value { return slog.StringValue("native-reply") }

// MarshalText is String.
func (NativeReply) MarshalText() ([]byte, error) { return []byte("native-reply"), nil }

// CharacterCount is how many characters an account has in a world.
type CharacterCount struct{ World, Count uint8 }

// SelectReason says why a client gets no pass; the numbers are the contract's.
type SelectReason uint8

const (
	// SelectUnknown: there is no such world.
	SelectUnknown SelectReason = iota + 1
	// SelectOffline: it is not there just now.
	SelectOffline
	// SelectMismatch: it does not take this client.
	SelectMismatch
	// SelectFull: its queue is full, or it lets nobody in any more.
	SelectFull
	// SelectTimeout: it did not answer.
	SelectTimeout
	// SelectBusy: an earlier pick is not settled.
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
