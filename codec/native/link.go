package native

import (
	"encoding/binary"

	"gatepass/codec"
)

// link is what a login server's and a gate's end of a connection have in common:
// frames, the hash of what was said, and the channel. Owned by the connection's
// reactor.
type link struct {
	// said is kept up to the client's proof only.
	said    *Transcript
	in, out Direction
	phase   phase
	maxBody uint16 // of a sealed frame of the client
}

func newLink(gate bool, maxBody uint16) link {
	t := NewTranscript(gate)
	return link{said: &t, maxBody: maxBody}
}

// next takes the frame at the front of b and returns its body, which aliases b, and
// the length of all. codec.ErrShort asks for more bytes.
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

// bound judges a length. Under seal it is sealed too: whoever has the keys sends none
// that is out of bounds, so that there such a one was changed on its way.
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

// hear adds what the client has said to the transcript and returns it before and
// after. With the client's proof it is complete and is forgotten here.
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

// openFrame begins a frame of the server at the end of dst.
func openFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// closeFrame ends the frame that began at: it is sealed if the channel is up.
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

// AppendFrame writes a body that was encoded for many clients (AppendWorldSnapshot)
// as this one is to get it. ErrPhase before the channel is up and once the client
// is to go, ErrBody when it is too long; dst is then returned as it was. With
// room in dst it does not allocate.
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

// becomeOpen is the only way into phaseOpen. It takes the keys and wipes them.
func (l *link) becomeOpen(keys *codec.ChannelKeys) {
	l.in, l.out = NewDirection(&keys.ToServer), NewDirection(&keys.ToClient)
	keys.Wipe()
	l.phase = phaseOpen
}

// becomeOver is the only way into phaseOver. The keys go with it.
func (l *link) becomeOver() {
	l.in, l.out, l.said = Direction{}, Direction{}, nil
	l.phase = phaseOver
}
