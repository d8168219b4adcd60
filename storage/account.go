package storage

import (
	"net/netip"
	"slices"
)

// Limits of an account; a request that exceeds one is ErrInvalid.
const (
	// MaxPIN bounds Account.PIN, in digits.
	MaxPIN = 10
	// MaxTOTPSecret bounds Account.TOTPSecret, in bytes.
	MaxTOTPSecret = 255
	// MaxOthers bounds the number of entries of Account.Others.
	MaxOthers = 16
	// MaxOtherName and MaxOther bound the name and the size of one entry, in bytes.
	MaxOtherName, MaxOther = 32, 8 << 10
)

// minPIN is the shortest PIN, in digits.
const minPIN = 4

// Account is one player's record.
type Account struct {
	Name Name
	// Created is in Unix seconds.
	Created int64
	// Grunt is the verifier of the grunt protocol.
	Grunt GruntVerifier
	// Others holds the verifiers of other protocols by protocol name, each in that
	// protocol's format.
	Others map[string][]byte
	Ban    Ban
	// PIN is 4 to 10 digits, asked for at every login where the client supports it;
	// empty for none.
	PIN string
	// TOTPSecret is the RFC 6238 secret, raw; empty for none.
	TOTPSecret []byte
	// Characters is the number of characters on each world, by rising world. Worlds
	// without characters, or whose number is unknown, are left out.
	Characters []WorldCount
	Login      LoginRecord
}

// ProtocolNative is the key in Account.Others of the native protocol's verifier, which
// auth/srp6a encodes and parses.
const ProtocolNative = "native"

// GruntVerifier is what is stored instead of a password: 32 bytes each, in the
// protocol's wire order.
type GruntVerifier struct {
	Set      bool
	Salt     [32]byte
	Verifier [32]byte
}

// String hides the verifier.
func (GruntVerifier) String() string { return "grunt-verifier" }

// LoginRecord is what is known of an account's logins.
type LoginRecord struct {
	// LastLogin is in Unix seconds, 0 for never. LastFailed is the last failed
	// attempt since then, 0 for none.
	LastLogin, LastFailed int64
	// LastAddr is the address of the last successful login, without a zone.
	LastAddr netip.Addr
	// Failed counts the attempts since the last successful login.
	Failed uint32
}

// ValidAccount reports whether an account can be stored.
func ValidAccount(a *Account) bool {
	if a == nil || !ValidFactors(a) {
		return false
	}
	folded, err := FoldName(a.Name.Bytes())
	return err == nil && folded == a.Name && ValidBan(&a.Ban) && ValidOthers(a.Others) && ValidCharacters(a.Characters)
}

// ValidFactors reports whether the second factors of an account can be stored.
func ValidFactors(a *Account) bool {
	return ValidPIN(a.PIN) && len(a.TOTPSecret) <= MaxTOTPSecret
}

// ValidPIN reports whether pin is empty or has a length and digits that are allowed.
func ValidPIN(pin string) bool {
	if len(pin) > MaxPIN || pin != "" && len(pin) < minPIN {
		return false
	}
	return !slices.ContainsFunc([]byte(pin), func(c byte) bool { return c < '0' || c > '9' })
}

// ValidOthers reports whether the verifiers of other protocols can be stored.
func ValidOthers(others map[string][]byte) bool {
	for name, v := range others {
		if name == "" || len(name) > MaxOtherName || len(v) > MaxOther {
			return false
		}
	}
	return len(others) <= MaxOthers
}
