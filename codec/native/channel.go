package native

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

// Direction is one way of a sealed channel: its key and how many frames have gone
// through. Each end has two, one that seals and one that opens. It is not safe for
// concurrent use, and what a copy seals after the original uses a nonce twice: do not
// copy one that is in use. The zero value neither seals nor opens.
type Direction struct {
	aead cipher.AEAD
	// nonce is four zero bytes and the number of the next frame. It stands here
	// since what is handed to an interface would else be allocated for every frame.
	nonce [chacha20poly1305.NonceSize]byte
}

// NewDirection starts one way of a channel under its key, which it copies.
func NewDirection(key *[32]byte) Direction {
	aead, err := chacha20poly1305.New(key[:])
	if err != nil {
		panic("native: " + err.Error()) // wrong size of a key that has its size by type
	}
	return Direction{aead: aead}
}

// Frames is how many frames have been sealed or opened.
func (d *Direction) Frames() uint64 { return binary.LittleEndian.Uint64(d.nonce[4:]) }

// Worn tells that nothing can be sealed or opened any more: MaxFrames have gone
// through, or there is no key.
func (d *Direction) Worn() bool { return d.aead == nil || d.Frames() >= MaxFrames }

// Seal appends the whole frame of a body to dst, its length in front. With room in
// dst it does not allocate. dst must not overlap body. It panics when d is Worn.
func (d *Direction) Seal(dst, body []byte) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)+SealSize))
	return d.seal(dst, body, dst[at:at+HeaderSize])
}

// sealFrom makes a frame of what stands in dst from at on: room for the header, then
// the body, which is sealed where it is.
func (d *Direction) sealFrom(dst []byte, at int) []byte {
	size := len(dst) - at - HeaderSize
	dst = append(dst, make([]byte, SealSize)...) // moves dst now, if at all
	header := dst[at : at+HeaderSize]
	binary.LittleEndian.PutUint32(header, uint32(size+SealSize))
	body := dst[at+HeaderSize : at+HeaderSize+size]
	return d.seal(dst[:at+HeaderSize], body, header)
}

func (d *Direction) seal(dst, body, header []byte) []byte {
	if d.Worn() {
		panic("native: sealing on a channel that is worn out")
	}
	dst = d.aead.Seal(dst, d.nonce[:], body, header)
	d.advance()
	return dst
}

// Open takes one whole frame, its length in front, and returns its body, which it
// decrypts in place: what was in frame is gone, whether it opens or not. The error
// is a *codec.Violation with SealViolation; the channel is then over. It does not
// allocate.
func (d *Direction) Open(frame []byte) (body []byte, err error) {
	if d.Worn() || len(frame) < HeaderSize+SealSize || binary.LittleEndian.Uint32(frame) != uint32(len(frame)-HeaderSize) {
		return nil, brokenSeal
	}
	header, sealed := frame[:HeaderSize], frame[HeaderSize:]
	body, err = d.aead.Open(sealed[:0], d.nonce[:], sealed, header)
	if err != nil {
		*d = Direction{}
		return nil, brokenSeal
	}
	d.advance()
	return body, nil
}

func (d *Direction) advance() {
	binary.LittleEndian.PutUint64(d.nonce[4:], d.Frames()+1)
}

// takeBack forgets the last so many frames, of which nothing has left this side.
func (d *Direction) takeBack(frames int) {
	if frames < 0 || uint64(frames) > d.Frames() {
		panic("native: more frames taken back than were sealed")
	}
	binary.LittleEndian.PutUint64(d.nonce[4:], d.Frames()-uint64(frames))
}

// String shows no key.
func (d Direction) String() string { return "[direction]" }

// GoString is String: %#v must not show it either.
func (d Direction) GoString() string { return "[direction]" }

// Transcript is the hash of what both sides have said in the clear: the bodies of
// their frames in the order in which they went, up to the client's proof. Both sides
// draw their keys from it too, so that a word that was changed on its way leaves them
// with different ones.
type Transcript [sha256.Size]byte

// The labels that transcripts start from, so that what was said at one place is worth
// nothing at the other.
const (
	loginLabel = "gatepass v1 login"
	gateLabel  = "gatepass v1 gate"
)

// NewTranscript is that of a connection on which nothing was said yet, to a gate or
// to a login server.
func NewTranscript(gate bool) Transcript {
	if gate {
		return sha256.Sum256([]byte(gateLabel))
	}
	return sha256.Sum256([]byte(loginLabel))
}

// Add takes in the next body.
func (t *Transcript) Add(body []byte) {
	said := sha256.Sum256(body)
	var both [2 * sha256.Size]byte
	copy(both[:], t[:])
	copy(both[sha256.Size:], said[:])
	*t = sha256.Sum256(both[:])
}
