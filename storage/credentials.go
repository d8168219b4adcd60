package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Credentials identifies what an account signs in with at one moment: its verifiers and
// its second factors. It differs between any two accounts, and changes with the account's
// password or factors. It is a digest of secrets, so it prints as a fixed word.
type Credentials [16]byte

// Credentials returns the digest of the account's present verifiers and factors.
func (a *Account) Credentials() Credentials {
	// Each field of variable size has its length before it, so no two accounts give the
	// same bytes.
	b := append(make([]byte, 0, 512), a.Name.Bytes()...)
	b = append(b, 0)
	if a.Grunt.Set {
		b = append(append(append(b, 1), a.Grunt.Salt[:]...), a.Grunt.Verifier[:]...)
	} else {
		b = append(b, 0)
	}
	names := make([]string, 0, len(a.Others))
	for name := range a.Others {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, byte(len(names)))
	for _, name := range names {
		b = appendCounted(b, name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(a.Others[name])))
		b = append(b, a.Others[name]...)
	}
	b = append(appendCounted(b, a.PIN), a.TOTPSecret...)
	sum := sha256.Sum256(b)
	clear(b)
	return Credentials(sum[:])
}

// appendCounted appends a length byte and s.
func appendCounted(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// String names the type; it never shows the digest, by which a password could be
// guessed offline.
func (c Credentials) String() string { return "credentials" }

// Format keeps every verb from showing the digest.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// MarshalText keeps encoders that look for it (structured logs, JSON) from showing it.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
