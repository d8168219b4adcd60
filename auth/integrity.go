package auth

import (
	"crypto/hmac"
	"crypto/sha1"

	"gatepass/auth/srp6"
)

// FilesHash is HMAC-SHA1 over the contents of the client's files, joined in the order of its platform, keyed with the
// salt of the challenge. A server that always sends one salt needs this once per build and system.
func FilesHash(crcSalt *[16]byte, files []byte) (h [20]byte) {
	mac := hmac.New(sha1.New, crcSalt[:])
	mac.Write(files)
	mac.Sum(h[:0])
	return h
}

// CRCHash is what a client with those files sends beside its proof: H(A FilesHash).
func CRCHash(a *srp6.PublicKey, files *[20]byte) [20]byte {
	var b [32 + 20]byte
	copy(b[:], a[:])
	copy(b[32:], files[:])
	return sha1.Sum(b[:])
}

// VerifyCRCHash checks what a client sent at login. ErrFiles when it does not follow from the expected FilesHash.
func VerifyCRCHash(a *srp6.PublicKey, files, crcHash *[20]byte) error {
	want := CRCHash(a, files)
	if !equal(&want, crcHash) {
		return ErrFiles
	}
	return nil
}

// VerifyReconnectChecksum checks the same field of a reconnect, in which the files stand as zeros (quirk 31): r1 is
// the client's random data. ErrFiles when it is wrong.
func VerifyReconnectChecksum(r1 *[16]byte, checksum *[20]byte) error {
	want := srp6.ReconnectChecksum(r1)
	if !equal((*[20]byte)(&want), checksum) {
		return ErrFiles
	}
	return nil
}
