package srp6

import "crypto/sha1"

// ReconnectProof returns R2 = H(U R1 challenge K), the client's proof that it has the session
// key of an earlier login. r1 is the client's random data, challenge the server's. The case of
// name is folded; a name of up to 255 bytes causes no allocation. Compare the result in
// constant time.
func ReconnectProof(name []byte, r1, challenge *[16]byte, k *SessionKey) Proof {
	var buffer [255 + 16 + 16 + 40]byte
	b := appendUpper(buffer[:0], name)
	b = append(b, r1[:]...)
	b = append(b, challenge[:]...)
	b = append(b, k[:]...)
	p := sha1.Sum(b)
	clear(b)
	return p
}

// ReconnectChecksum returns R3 = H(R1, 20 zero bytes). It is at the place where a login has
// the hash of the client's files, and proves nothing.
func ReconnectChecksum(r1 *[16]byte) Proof {
	var b [16 + 20]byte
	copy(b[:], r1[:])
	return sha1.Sum(b[:])
}
