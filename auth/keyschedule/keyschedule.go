package keyschedule

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

// The labels. No label is the start of another one, because the data after a label is not
// delimited.
const (
	labelToServer    = "gatepass v1 to server"
	labelToClient    = "gatepass v1 to client"
	labelSession     = "gatepass v1 session"
	labelServerProof = "gatepass v1 server proof"
	labelTokenProof  = "gatepass v1 token proof"
	labelPass        = "gatepass v1 pass"
	labelGateClient  = "gatepass v1 gate client"
	labelGateServer  = "gatepass v1 gate server"
)

// Nonces are both sides' random bytes. At a gate, Server is the gate's.
type Nonces struct{ Client, Server [32]byte }

// Keys are the result of a sign-in, for both sides. They print as a fixed word.
type Keys struct {
	// ToServer and ToClient seal the two directions of the channel.
	ToServer, ToClient [32]byte
	// Session is the secret from which pass keys are derived.
	Session [32]byte
	// Proof is the server's proof after a sign-in by token. It shows the client that the
	// server has the token's key. After a password M2 shows that, and Proof is not sent.
	Proof [32]byte
}

// Password derives the keys of a sign-in by password. secret is PAD(S). transcript is the hash
// of all messages, including the client's proof.
func Password(secret []byte, n *Nonces, transcript *[32]byte) Keys {
	return keys(secret, n, transcript)
}

// Token derives the keys of a sign-in by token. key is the family's key. p is what the client
// sealed (secret, fallback, next verifier). transcript is the hash of all messages, including
// the sealed proof.
func Token(key *[32]byte, p *[96]byte, n *Nonces, transcript *[32]byte) Keys {
	var ikm [32 + 96]byte
	copy(ikm[:], key[:])
	copy(ikm[32:], p[:])
	k := keys(ikm[:], n, transcript)
	clear(ikm[:])
	return k
}

// TokenKey returns the key that seals a token's proof in one sign-in. key is the family's key.
func TokenKey(key *[32]byte, n *Nonces) [32]byte {
	prk := extract(key[:], n)
	defer clear(prk)
	return expand(prk, labelTokenProof)
}

// PassKey returns the key of one pass for one world, derived from Keys.Session. A world cannot
// compute the session secret or the key of another pass from it.
func PassKey(session *[32]byte, world uint8, pass *[16]byte) [32]byte {
	info := make([]byte, 0, len(labelPass)+1+len(pass))
	info = append(append(info, labelPass...), world)
	return expand(session[:], string(append(info, pass[:]...)))
}

// keys derives all keys of a sign-in.
func keys(ikm []byte, n *Nonces, transcript *[32]byte) (k Keys) {
	prk := extract(ikm, n)
	said := string(transcript[:])
	k.ToServer = expand(prk, labelToServer+said)
	k.ToClient = expand(prk, labelToClient+said)
	k.Session = expand(prk, labelSession+said)
	k.Proof = expand(prk, labelServerProof+said)
	clear(prk)
	return k
}

// extract returns HKDF-Extract with both nonces as the salt.
func extract(ikm []byte, n *Nonces) []byte {
	var salt [64]byte
	copy(salt[:], n.Client[:])
	copy(salt[32:], n.Server[:])
	prk, err := hkdf.Extract(sha256.New, ikm, salt[:])
	if err != nil {
		panic("keyschedule: " + err.Error())
	}
	return prk
}

// expand returns HKDF-Expand to 32 bytes.
func expand(prk []byte, info string) [32]byte {
	key, err := hkdf.Expand(sha256.New, prk, info, 32)
	if err != nil {
		panic("keyschedule: " + err.Error())
	}
	defer clear(key)
	return [32]byte(key)
}

// Wipe overwrites the keys.
func (k *Keys) Wipe() { *k = Keys{} }

// String names the type; it never shows a key.
func (k Keys) String() string { return "keys" }

// Format prevents every verb from showing a key.
func (k Keys) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// MarshalText prevents encoders that use it (structured logs, JSON) from showing a key.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
