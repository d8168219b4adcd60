package native

import (
	"encoding/binary"

	"gatepass/codec"
)

// link has what the sessions of a login server and of a gate share: frames, the transcript and
// the channel. Owned by the connection's reactor.
type link struct {
	// said is nil after the client's proof.
	said    *Transcript
	in, out Direction
	phase   phase
	maxBody uint16 // limit of a client's sealed frame
}

func newLink(gate bool, maxBody uint16) link {
	t := NewTranscript(gate)
	return link{said: &t, maxBody: maxBody}
}

// next returns the body of the frame at the front of b, which aliases b, and the length of the
// whole frame. codec.ErrShort asks for more bytes.
func (l *link) next(b []byte) (body []byte, n int, err error) {
	if l.phase == phaseProving || l.phase == phaseOver || len(b) < HeaderSize {
		return nil, 0, codec.ErrShort
	}
	size := binary.LittleEndian.Uint32(b)
	if err := l.bound(size); err != nil {
		return nil, 0, err
	}
	n = HeaderSize + int(size)
	if len(b) < n {
		return nil, 0, codec.ErrShort
	}
	if !l.phase.sealed() {
		return b[HeaderSize:n], n, nil
	}
	body, err = l.in.Open(b[:n])
	return body, n, err
}

// bound checks a length. On a sealed channel a wrong length counts as a broken seal: a client
// with the keys sends none, so the length was changed on its way.
func (l *link) bound(size uint32) error {
	if l.phase.sealed() {
		if size < SealSize || size > SealSize+uint32(l.maxBody) {
			return brokenSeal
		}
		return nil
	}
	if size == 0 || size > MaxFirstBody {
		return badLength
	}
	return nil
}

// hear adds a client's body to the transcript and returns the transcript before and after it.
// The client's proof completes the transcript, and hear then drops it.
func (l *link) hear(body []byte, proof bool) (before, after Transcript) {
	before = *l.said
	l.said.Add(body)
	after = *l.said
	if proof {
		l.said = nil
		l.phase = phaseProving
	}
	return before, after
}

// openFrame appends the header of a server's frame to dst.
func openFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// closeFrame completes the frame that begins at dst[at]. It seals it if the channel is open.
func (l *link) closeFrame(dst []byte, at int) ([]byte, error) {
	body := dst[at+HeaderSize:]
	if len(body) > MaxServerBody {
		return dst[:at], ErrBody
	}
	if !l.phase.sealed() {
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(body)))
		return dst, nil
	}
	if l.out.Worn() {
		return dst[:at], ErrWorn
	}
	return l.out.sealFrom(dst, at), nil
}

// AppendFrame writes a body that was encoded for many clients (AppendWorldSnapshot) as a frame
// for this client. It returns ErrPhase if the channel is not open, or after the end of an
// update or a refusal, and ErrBody if the body is too long; dst is then unchanged. With room
// in dst it does not allocate.
func (l *link) AppendFrame(dst, frame []byte) ([]byte, error) {
	switch {
	case l.phase != phaseOpen:
		return dst, ErrPhase
	case len(frame) > MaxServerBody:
		return dst, ErrBody
	case l.out.Worn():
		return dst, ErrWorn
	}
	return l.out.Seal(dst, frame), nil
}

// becomeOpen is the only function that sets phaseOpen. It takes the keys and wipes them.
func (l *link) becomeOpen(keys *codec.ChannelKeys) {
	l.in, l.out = NewDirection(&keys.ToServer), NewDirection(&keys.ToClient)
	keys.Wipe()
	l.phase = phaseOpen
}

// becomeOver is the only function that sets phaseOver. It drops the keys.
func (l *link) becomeOver() {
	l.in, l.out, l.said = Direction{}, Direction{}, nil
	l.phase = phaseOver
}
