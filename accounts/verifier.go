package accounts

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"gatepass/auth/srp6"
	"gatepass/storage"
)

// Errors of verifier columns. None contains a value.
var (
	errSaltHex     = errors.New("salt is not 64 hex digits")
	errVerifierHex = errors.New("verifier is not 64 hex digits")
	errHashHex     = errors.New("sha_pass_hash is not 40 hex digits")
	errWeak        = errors.New("the verifier would let anybody in (zero, one or not below the modulus); make a new password for this account")
)

// decodeTrinity parses salt and verifier as TrinityCore and AzerothCore store them: 32
// bytes each in wire order, here as hex. It accepts a weak verifier.
func decodeTrinity(salt, verifier string) (storage.GruntVerifier, error) {
	g := storage.GruntVerifier{Set: true}
	if !decodeFixed(g.Salt[:], salt) {
		return g, errSaltHex
	}
	if !decodeFixed(g.Verifier[:], verifier) {
		return g, errVerifierHex
	}
	return g, nil
}

// weak reports whether a login with this verifier proves nothing.
func weak(g *storage.GruntVerifier) bool {
	v := srp6.Verifier(g.Verifier)
	return !v.Valid()
}

// mangosHex converts wire order to the number that mangos reads. It writes all 64
// digits, because mangos replaces a verifier with fewer digits.
func mangosHex(wire [32]byte) string {
	slices.Reverse(wire[:])
	return strings.ToUpper(hex.EncodeToString(wire[:]))
}

func trinityHex(wire [32]byte) string { return strings.ToUpper(hex.EncodeToString(wire[:])) }

// decodeNumber parses a big-endian hex number to wire order.
func decodeNumber(dst *[32]byte, digits string) bool {
	digits = trimHexPrefix(digits)
	if len(digits) == 0 || len(digits) > 64 {
		return false
	}
	if !decodeFixed(dst[:], strings.Repeat("0", 64-len(digits))+digits) {
		return false
	}
	slices.Reverse(dst[:])
	return true
}

func decodeFixed(dst []byte, digits string) bool {
	digits = trimHexPrefix(digits)
	if hex.DecodedLen(len(digits)) != len(dst) || len(digits)%2 != 0 {
		return false
	}
	_, err := hex.Decode(dst, []byte(digits))
	return err == nil
}

// trimHexPrefix removes the 0x that SQL tools put before binary columns.
func trimHexPrefix(digits string) string {
	if len(digits) > 1 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') {
		return digits[2:]
	}
	return digits
}
