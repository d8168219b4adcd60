package world

import (
	"crypto/hmac"
	"crypto/rc4"
	"crypto/sha1"
)

// Direction is the direction that a cipher of a connection is for.
type Direction uint8

const (
	// ToServer: the client encrypts, the server decrypts.
	ToServer Direction = iota
	// ToClient: the server encrypts, the client decrypts.
	ToClient
)

// The HMAC keys that derive a header key from a session key (17.4).
const (
	seed243         = "\x38\xA7\x83\x15\xF8\x92\x25\x30\x71\x98\x67\xB1\x8C\x04\xE2\xAA"
	seed335ToServer = "\xC2\xB3\x72\x3C\xC6\xAE\xD9\xB5\x34\x3C\x53\xEE\x2F\x43\x67\xCE"
	seed335ToClient = "\xCC\x98\xAE\x04\xE8\x97\xEA\xCA\x12\xDD\xC0\x93\x42\x91\x53\x57"
)

// rc4Drop is the number of bytes of key stream that 3.3.5 discards at the start.
const rc4Drop = 1024

// Cipher encrypts or decrypts the headers of one direction; bodies are never encrypted. It is
// a stream over all header bytes of that direction in order; how they are split into calls
// does not matter. A byte that is skipped or used twice corrupts all later ones (quirk 70).
// One side uses it only to encrypt, the other only to decrypt. The zero Cipher has no key and
// must not be used.
//
// 1.12 and 2.4.3 combine each byte with the next byte of a repeating key by xor, and then add
// the previous encrypted byte:
//
//	c = (p xor key[i]) + prev        i = i + 1 mod len(key), prev = c
//	p = (c - prev) xor key[i]
//
// where the key is K itself (40 bytes) or HMAC(seed, K) (20 bytes). 3.3.5 uses RC4 with a
// separate key for each direction. None of them authenticates the headers, so the receiver
// checks decrypted headers like any untrusted input.
type Cipher struct {
	stream *rc4.Cipher // 3.3.5, else nil
	key    [40]byte
	length uint8 // number of bytes of key in use; 0 for RC4
	next   uint8 // index of the key byte to use
	prev   byte  // the previous encrypted byte
}

// NewCipher returns the cipher of one direction for a session key. It panics on the zero Era.
func NewCipher(e Era, d Direction, key *[40]byte) Cipher {
	switch e {
	case Era112:
		return Cipher{key: *key, length: uint8(len(key))}
	case Era243:
		c := Cipher{length: sha1.Size}
		headerKey := deriveKey(seed243, key)
		copy(c.key[:], headerKey[:])
		return c
	case Era335:
		seed := seed335ToServer
		if d == ToClient {
			seed = seed335ToClient
		}
		headerKey := deriveKey(seed, key)
		return Cipher{stream: newStream(&headerKey)}
	}
	panic("world: no cipher for " + e.String())
}

// deriveKey returns the HMAC-SHA1 of a session key, with seed as the HMAC's key.
func deriveKey(seed string, key *[40]byte) (derived [sha1.Size]byte) {
	mac := hmac.New(sha1.New, []byte(seed))
	mac.Write(key[:])
	mac.Sum(derived[:0])
	return derived
}

func newStream(key *[sha1.Size]byte) *rc4.Cipher {
	stream, err := rc4.NewCipher(key[:])
	if err != nil {
		panic(err) // only for a wrong key length, which cannot occur
	}
	var drop [rc4Drop]byte
	stream.XORKeyStream(drop[:], drop[:])
	return stream
}

// Encrypt encrypts the next header bytes in place.
func (c *Cipher) Encrypt(b []byte) {
	if c.stream != nil {
		c.stream.XORKeyStream(b, b)
		return
	}
	for i := range b {
		b[i] = (b[i] ^ c.key[c.next]) + c.prev
		c.step(b[i])
	}
}

// Decrypt decrypts the next header bytes in place.
func (c *Cipher) Decrypt(b []byte) {
	if c.stream != nil {
		c.stream.XORKeyStream(b, b)
		return
	}
	for i, encrypted := range b {
		b[i] = (encrypted - c.prev) ^ c.key[c.next]
		c.step(encrypted)
	}
}

func (c *Cipher) step(encrypted byte) {
	c.prev = encrypted
	c.next++
	if c.next == c.length {
		c.next = 0
	}
}

// String and GoString show no key.
func (Cipher) String() string   { return "[cipher]" }
func (Cipher) GoString() string { return "[cipher]" }
