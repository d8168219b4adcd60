package load

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"gatepass/codec/native"
)

// gruntFrameHead is the opcode and the length in front of a frame's data.
const gruntFrameHead = 3

// frameHead is how many bytes tell a frame's length.
func (f *fleet) frameHead() int {
	if f.tongue != nil {
		return native.HeaderSize
	}
	return gruntFrameHead
}

// frameSize is the length of the frame that begins with b, which is frameHead long at
// least.
func (f *fleet) frameSize(b []byte) int {
	if f.tongue != nil {
		return native.HeaderSize + int(min(binary.LittleEndian.Uint32(b), maxNativeFrame))
	}
	return gruntFrameHead + int(binary.LittleEndian.Uint16(b[1:]))
}

// maxNativeFrame is what the server says at most, its seal included, and one byte more for
// what is longer.
const maxNativeFrame = native.MaxServerBody + native.SealSize + 1

// onData takes a frame of the file, size bytes long with what belongs to it.
func (f *fleet) onData(t *taker, offset uint64, data []byte, size int) mishap {
	if offset != t.offset || len(data) == 0 || !f.o.File.has(offset, data) {
		return mishapContent
	}
	t.offset += uint64(len(data))
	t.frames++
	f.bytes.Add(uint64(len(data)))
	f.checked.Add(uint64(len(data)))
	switch {
	case f.o.Stall:
		return f.stall(t)
	case t.offset == f.o.File.Size:
		return f.taken(t)
	case !t.checks && t.frames >= framesToLearn:
		t.stage, t.skimmed = stageSkimming, skimmed{frame: uint64(size), data: uint64(len(data))}
		return noMishap
	}
	return f.maybeAcknowledge(t)
}

// framesToLearn is after how many frames a client knows how long they are: a native one
// that says no offset, the first, is shorter.
const framesToLearn = 2

// skimmed is what a client knows of frames that it does not look at: all have the same
// length but the last. At the end of each stretch it looks at the next frame's head, so
// that frames of other lengths are noticed.
type skimmed struct {
	frame, data uint64 // bytes of a full frame, and of the file in it
	left        uint64 // bytes to the end of the stretch
	end         uint64 // where in the file that is
}

// skim throws away a portion of what has come.
func (f *fleet) skim(t *taker) {
	if t.skimmed.left == 0 {
		if more, trouble := f.nextStretch(t); !more {
			f.failIf(t, trouble)
			return
		}
	}
	s := &t.skimmed
	n, errno := rawDiscard(t.fd, f.portion[:min(takePortion, s.left)])
	if trouble, some := came(n, errno); !some {
		f.failIf(t, trouble)
		return
	}
	t.deadline = f.now() + f.o.Clients.Timeout
	s.left -= uint64(n)
	f.bytes.Add(uint64(n) * s.data / s.frame)
	if s.left > 0 {
		return
	}
	t.offset = s.end
	if t.offset == f.o.File.Size {
		f.failIf(t, f.taken(t))
		return
	}
	f.failIf(t, f.maybeAcknowledge(t))
}

// came tells whether something has come, and if not, whether that is a mishap.
func came(n int, errno unix.Errno) (mishap, bool) {
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return noMishap, false
	case errno != 0:
		return FaultReset.mishap(), false
	case n == 0:
		return FaultClosed.mishap(), false
	}
	return noMishap, true
}

func (f *fleet) failIf(t *taker, trouble mishap) {
	if trouble != noMishap {
		f.fail(t, trouble)
	}
}

// nextStretch looks at the next frame's head and says how far to go; false while it has
// not come.
func (f *fleet) nextStretch(t *taker) (bool, mishap) {
	var b [native.HeaderSize]byte
	head := b[:f.frameHead()]
	n, errno := rawPeek(t.fd, head)
	if trouble, some := came(n, errno); !some || n < len(head) {
		return false, trouble
	}
	s, size := &t.skimmed, uint64(f.frameSize(head))
	rest := f.o.File.Size - t.offset
	full := min(rest, max(s.data, stretch-(t.offset-t.acked))) / s.data
	switch {
	case full > 0 && size == s.frame:
		s.left, s.end = full*s.frame, t.offset+full*s.data
	case full == 0 && size <= s.frame:
		s.left, s.end = size, f.o.File.Size
	default:
		return false, mishapFrames
	}
	return true, noMishap
}

// stretch is how much of the file a client takes before it looks again, and says that it
// has it where that is to be said.
const stretch = updateWindow / 4

// maybeAcknowledge says what the client has, if it is time to.
func (f *fleet) maybeAcknowledge(t *taker) mishap {
	if f.tongue == nil {
		t.acked = t.offset // nobody waits for it
		return noMishap
	}
	if t.offset-t.acked < stretch-t.skimmed.data && t.offset < f.o.File.Size {
		return noMishap
	}
	t.acked = t.offset
	f.out = f.tongue.appendUpdateReceived(f.out[:0], t.talk, t.offset)
	return f.send(t, f.out)
}

// taken is for a client that has the whole file: one of grunt goes, a native one says so
// first.
func (f *fleet) taken(t *taker) mishap {
	if f.tongue != nil {
		t.stage = stageTaken
		return f.maybeAcknowledge(t)
	}
	f.whole.Add(1)
	f.release(t)
	return noMishap
}

// stall lets the client take no more.
func (f *fleet) stall(t *taker) mishap {
	t.stage = stageStalled
	f.started.Add(1)
	if errno := f.poll.change(t.fd, unix.EPOLLRDHUP, t.token()); errno != 0 {
		return FaultFiles.mishap()
	}
	return noMishap
}
