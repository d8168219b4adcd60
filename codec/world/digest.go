package world

import "crypto/sha1"

// Digest returns the proof in CMSG_AUTH_SESSION that its sender has the session key (17.2).
// account is the name as the client sent it, which is in capitals. client and server are the
// four bytes of each seed as sent.
//
// Compare the result with a client's digest in constant time
// (crypto/subtle.ConstantTimeCompare). Digest does not allocate for names that fit codec.Name.
func Digest(account []byte, client, server [4]byte, key *[40]byte) [20]byte {
	buf := make([]byte, 0, 96)
	buf = append(buf, account...)
	buf = append(buf, 0, 0, 0, 0)
	buf = append(buf, client[:]...)
	buf = append(buf, server[:]...)
	return sha1.Sum(append(buf, key[:]...))
}
