package native

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

// Direction is one direction of a sealed channel: its key and the number of frames so far.
// Each end has two, one to seal and one to open. It is not safe for concurrent use. Do not
// copy one that is in use: the original and the copy would seal with the same nonce. The zero
// value neither seals nor opens.
type Direction struct {
	aead cipher.AEAD
	// nonce is four zero bytes and the number of the next frame. It is a field because a local
	// variable that is passed to an interface would be allocated for each frame.
	nonce [chacha20poly1305.NonceSize]byte
}

// NewDirection returns one direction of a channel, before its first frame. It copies the key.
func NewDirection(key *[32]byte) Direction {
	aead, err := chacha20poly1305.New(key[:])
	if err != nil {
		panic("native: " + err.Error()) // only for a key of the wrong size, which the type excludes
	}
	return Direction{aead: aead}
}

// Frames returns the number of frames sealed or opened.
func (d *Direction) Frames() uint64 { return binary.LittleEndian.Uint64(d.nonce[4:]) }

// Worn reports that nothing more can be sealed or opened: either MaxFrames have been sealed or
// opened, or there is no key.
func (d *Direction) Worn() bool { return d.aead == nil || d.Frames() >= MaxFrames }

// Seal appends the whole frame of a body to dst, including its length. With room in dst it
// does not allocate. dst must not overlap body. It panics if d is Worn.
func (d *Direction) Seal(dst, body []byte) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)+SealSize))
	return d.seal(dst, body, dst[at:at+HeaderSize])
}

// sealFrom makes a frame of dst[at:], which has room for the header and then the body. It
// seals the body in place.
func (d *Direction) sealFrom(dst []byte, at int) []byte {
	size := len(dst) - at - HeaderSize
	dst = append(dst, make([]byte, SealSize)...) // reallocates dst here, if needed
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

// Open takes one whole frame, including its length, and returns its body. It decrypts in
// place, so it overwrites frame even on an error. The error is a *codec.Violation with
// SealViolation; after it the channel must not be used. It does not allocate.
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

// takeBack undoes the last frames, no byte of which may have been sent.
func (d *Direction) takeBack(frames int) {
	if frames < 0 || uint64(frames) > d.Frames() {
		panic("native: more frames taken back than were sealed")
	}
	binary.LittleEndian.PutUint64(d.nonce[4:], d.Frames()-uint64(frames))
}

// String returns a fixed text without the key.
func (d Direction) String() string { return "[direction]" }

// GoString is String: %#v must not show it either.
func (d Direction) GoString() string { return "[direction]" }

// Transcript is the hash of all that both sides sent in the clear: the bodies of their frames
// in order, up to the client's proof. Both sides derive their keys from it too, so a body that
// was changed on its way gives them different keys.
type Transcript [sha256.Size]byte

// The labels that transcripts start from. A login server and a gate have different labels, so
// a transcript of one is not valid at the other.
const (
	loginLabel = "gatepass v1 login"
	gateLabel  = "gatepass v1 gate"
)

// NewTranscript returns the transcript of a new connection to a gate or to a login server.
func NewTranscript(gate bool) Transcript {
	if gate {
		return sha256.Sum256([]byte(gateLabel))
	}
	return sha256.Sum256([]byte(loginLabel))
}

// Add adds the next body.
func (t *Transcript) Add(body []byte) {
	said := sha256.Sum256(body)
	var both [2 * sha256.Size]byte
	copy(both[:], t[:])
	copy(both[sha256.Size:], said[:])
	*t = sha256.Sum256(both[:])
}
