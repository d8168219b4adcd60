package patch

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"gatepass/codec/native"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loop"
	"gatepass/perf/load/internal/protocol"
)

// frameHead returns how many bytes at a frame's start tell its length.
func (f *Clients) frameHead() int {
	if f.native != nil {
		return native.HeaderSize
	}
	return protocol.GruntFrameHead
}

// frameSize returns the length of the frame that begins with b, which must have at least
// frameHead bytes.
func (f *Clients) frameSize(b []byte) int {
	if f.native != nil {
		return native.HeaderSize + int(min(binary.LittleEndian.Uint32(b), maxNativeFrame))
	}
	return protocol.GruntFrameHead + int(binary.LittleEndian.Uint16(b[1:]))
}

// maxNativeFrame is one byte more than the longest body that the server may send, with
// its seal. Every length that is too long is read as this one.
const maxNativeFrame = native.MaxServerBody + native.SealSize + 1

// onData processes a frame with data of the file. size is the length of the whole frame.
func (f *Clients) onData(t *downloader, offset uint64, data []byte, size int) counts.UpdateError {
	if offset != t.offset || len(data) == 0 || !f.o.File.has(offset, data) {
		return counts.UpdateWrongContent
	}
	t.offset += uint64(len(data))
	t.frames++
	f.Bytes.Add(uint64(len(data)))
	f.Checked.Add(uint64(len(data)))
	switch {
	case f.o.Stall:
		return f.stall(t)
	case t.offset == f.o.File.Size:
		return f.completed(t)
	case !t.checks && t.frames >= framesToLearn:
		t.stage, t.discarding = stageDiscarding, discarding{frame: uint64(size), data: uint64(len(data))}
		return counts.NoUpdateError
	}
	return f.maybeAcknowledge(t)
}

// framesToLearn is the number of frames after which a client knows how long frames are.
// The first native frame has no offset and is therefore shorter than the others.
const framesToLearn = 2

// discarding is what a client knows about frames that it discards. All but the last have the
// same length. After each stretch the client reads the next frame's head, so that it
// detects frames of another length.
type discarding struct {
	frame, data uint64 // bytes of a full frame, and of the file in it
	left        uint64 // bytes to the end of the stretch
	end         uint64 // offset in the file at the end of the stretch
}

// discard discards a portion of what has arrived.
func (f *Clients) discard(t *downloader) {
	if t.discarding.left == 0 {
		if more, trouble := f.nextStretch(t); !more {
			f.failIf(t, trouble)
			return
		}
	}
	s := &t.discarding
	n, errno := loop.Discard(t.fd, f.scratch[:min(discardPortion, s.left)])
	if trouble, some := received(n, errno); !some {
		f.failIf(t, trouble)
		return
	}
	t.deadline = f.now() + f.o.Timeout
	s.left -= uint64(n)
	f.Bytes.Add(uint64(n) * s.data / s.frame)
	if s.left > 0 {
		return
	}
	t.offset = s.end
	if t.offset == f.o.File.Size {
		f.failIf(t, f.completed(t))
		return
	}
	f.failIf(t, f.maybeAcknowledge(t))
}

// received reports whether a read returned data. If not, it returns the error, or none if
// data may still arrive.
func received(n int, errno unix.Errno) (counts.UpdateError, bool) {
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return counts.NoUpdateError, false
	case errno != 0:
		return counts.FaultReset.UpdateError(), false
	case n == 0:
		return counts.FaultClosed.UpdateError(), false
	}
	return counts.NoUpdateError, true
}

// failIf fails the client if there is an error.
func (f *Clients) failIf(t *downloader, trouble counts.UpdateError) {
	if trouble != counts.NoUpdateError {
		f.fail(t, trouble)
	}
}

// nextStretch reads the next frame's head and sets the length of the next stretch. It
// returns false while the head has not arrived.
func (f *Clients) nextStretch(t *downloader) (bool, counts.UpdateError) {
	var b [native.HeaderSize]byte
	head := b[:f.frameHead()]
	n, errno := loop.Peek(t.fd, head)
	if trouble, some := received(n, errno); !some || n < len(head) {
		return false, trouble
	}
	s, size := &t.discarding, uint64(f.frameSize(head))
	rest := f.o.File.Size - t.offset
	full := min(rest, max(s.data, stretch-(t.offset-t.acked))) / s.data
	switch {
	case full > 0 && size == s.frame:
		s.left, s.end = full*s.frame, t.offset+full*s.data
	case full == 0 && size <= s.frame:
		s.left, s.end = size, f.o.File.Size
	default:
		return false, counts.UpdateFrameLength
	}
	return true, counts.NoUpdateError
}

// stretch is how many bytes of the file a client discards before it reads a frame's head
// again. Native clients also acknowledge at that interval.
const stretch = window / 4

// maybeAcknowledge acknowledges the received data once a stretch or the file is complete.
func (f *Clients) maybeAcknowledge(t *downloader) counts.UpdateError {
	if f.native == nil {
		t.acked = t.offset // the grunt protocol has no acknowledgements
		return counts.NoUpdateError
	}
	if t.offset-t.acked < stretch-t.discarding.data && t.offset < f.o.File.Size {
		return counts.NoUpdateError
	}
	t.acked = t.offset
	f.out = f.native.AppendUpdateReceived(f.out[:0], t.native, t.offset)
	return f.send(t, f.out)
}

// completed ends a download. A grunt client closes the connection; a native one acknowledges
// first and waits for the server's end.
func (f *Clients) completed(t *downloader) counts.UpdateError {
	if f.native != nil {
		t.stage = stageComplete
		return f.maybeAcknowledge(t)
	}
	f.Whole.Add(1)
	f.release(t)
	return counts.NoUpdateError
}

// stall makes the client read no more. Only the end of its connection is watched.
func (f *Clients) stall(t *downloader) counts.UpdateError {
	t.stage = stageStalled
	f.Started.Add(1)
	if errno := f.poll.Change(t.fd, unix.EPOLLRDHUP, t.token()); errno != 0 {
		return counts.FaultFiles.UpdateError()
	}
	return counts.NoUpdateError
}
