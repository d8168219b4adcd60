package auth

import (
	"crypto/subtle"
	"errors"
)

// Outcomes of a second factor or a file check.
var (
	// ErrFactor: what the client sent does not follow from what is stored.
	ErrFactor = errors.New("auth: second factor does not match")
	// ErrFiles: the client's files, or its claim about them, are not the expected ones.
	ErrFiles = errors.New("auth: client files do not match")
)

// Faults in what is stored or configured; no client can cause them.
var (
	// ErrPIN: a PIN is 4 to 10 ASCII digits.
	ErrPIN = errors.New("auth: PIN is not 4 to 10 digits")
	// ErrMatrix: the card has no cells or cells without digits, fewer cells than are asked for, or another number of
	// digits than it should have.
	ErrMatrix = errors.New("auth: impossible matrix card")
	// ErrTOTPSecret: the secret is not base32, or empty.
	ErrTOTPSecret = errors.New("auth: authenticator secret is not base32")
)

// equal compares in constant time.
func equal(a, b *[20]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
