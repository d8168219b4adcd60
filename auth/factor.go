package auth

import (
	"crypto/subtle"
	"errors"
)

// ErrFactor: the client's answer does not match the stored factor.
var ErrFactor = errors.New("auth: second factor does not match")

// Errors of stored or configured factors. No client can cause them.
var (
	// ErrPIN: a PIN is 4 to 10 ASCII digits.
	ErrPIN = errors.New("auth: PIN is not 4 to 10 digits")
	// ErrTOTPSecret: the secret is not base32, or empty.
	ErrTOTPSecret = errors.New("auth: authenticator secret is not base32")
)

// equal reports whether a and b are equal, in constant time.
func equal(a, b *[20]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
