package keyschedule

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Knock is the handshake data of a client and a gate for one pass. Nothing in it is secret;
// the pass key is.
type Knock struct {
	World  uint8
	Pass   [16]byte
	Nonces // Server is the gate's nonce
}

// ClientProof returns the proof that the client has the pass key. Compare it in constant time.
func (k *Knock) ClientProof(passKey *[32]byte) [32]byte { return k.proof(passKey, labelGateClient) }

// GateProof returns the proof that the gate has the pass key. Compare it in constant time.
func (k *Knock) GateProof(passKey *[32]byte) [32]byte { return k.proof(passKey, labelGateServer) }

// proof returns the HMAC-SHA256 of label, world, pass and both nonces, the gate's first.
func (k *Knock) proof(passKey *[32]byte, label string) (p [32]byte) {
	mac := hmac.New(sha256.New, passKey[:])
	mac.Write([]byte(label))
	mac.Write([]byte{k.World})
	mac.Write(k.Pass[:])
	mac.Write(k.Nonces.Server[:])
	mac.Write(k.Nonces.Client[:])
	mac.Sum(p[:0])
	return p
}

// Channel derives the keys that seal the connection to the gate. transcript is the hash of all
// messages, including the client's hello.
func (k *Knock) Channel(passKey, transcript *[32]byte) (toServer, toClient [32]byte) {
	prk := extract(passKey[:], &k.Nonces)
	defer clear(prk)
	said := string(transcript[:])
	return expand(prk, labelToServer+said), expand(prk, labelToClient+said)
}
