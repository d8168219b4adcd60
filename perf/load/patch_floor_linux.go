package load

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"gatepass/codec"
	"gatepass/codec/grunt"
)

// PatchFloor is the least a server of patches can do: one bare epoll loop that says canned
// bytes to whoever signs in by the grunt protocol, and then sends the file: a preadv into
// a buffer with room for the frames' heads, and a write, 124 KiB at a time. No
// arithmetic, no limits, nothing sealed. What a real server costs above it is its own.
//
// As the Floor it trusts its clients, and must never face a network.
type PatchFloor struct {
	poll     *poller
	listener int
	addr     netip.AddrPort
	file     *os.File
	size     uint64 // of the file
	total    uint64 // of its frames
	canned   canned
	offer    []byte
	sent     []uint64 // by descriptor: how much of the frames
	frames   []byte   // floorFrames of them
	pieces   []unix.Iovec
	buf      [512]byte
}

const (
	// floorFrames is how many frames the floor reads and writes at once: less than 128 KiB,
	// for a write of a little more than two of the kernel's largest segments sends a third
	// for the rest.
	floorFrames = 31
	floorFrame  = gruntFrameHead + grunt.MaxTransferChunk
	// floorUnsent is below how many unsent bytes a socket is asked again.
	floorUnsent = 128 << 10
	// opTransferData begins a frame.
	opTransferData = 0x31
)

// ListenPatchFloor opens the floor's socket; clients can connect from then on. Port 0
// takes a free one. It reads the whole file once.
func ListenPatchFloor(addr netip.AddrPort, path string) (*PatchFloor, error) {
	f := &PatchFloor{canned: newCanned(), sent: make([]uint64, floorConns), frames: make([]byte, floorFrames*floorFrame)}
	if err := f.open(path); err != nil {
		return nil, err
	}
	var err error
	if f.listener, f.addr, err = listen(addr); err != nil {
		_ = f.file.Close()
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if f.poll, err = newPoller(); err != nil {
		_, _ = unix.Close(f.listener), f.file.Close()
		return nil, err
	}
	if e := f.poll.add(f.listener, unix.EPOLLIN, token{slot: int32(f.listener)}); e != 0 {
		f.close()
		return nil, fmt.Errorf("epoll_ctl: %w", e)
	}
	return f, nil
}

// open reads the file for its hash, and lays out the frames.
func (f *PatchFloor) open(path string) error {
	var err error
	if f.file, err = os.Open(path); err != nil {
		return err
	}
	sum := md5.New()
	n, err := io.Copy(sum, f.file)
	if err != nil {
		_ = f.file.Close()
		return err
	}
	f.size = uint64(n)
	f.total = f.size + (f.size+grunt.MaxTransferChunk-1)/grunt.MaxTransferChunk*gruntFrameHead
	refusal := codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultVersionUpdate}
	f.offer = grunt.AppendProofReply(nil, grunt.Layout8, &refusal)
	f.offer = grunt.AppendTransferOffer(f.offer, &codec.TransferOffer{Size: f.size, MD5: [16]byte(sum.Sum(nil))})
	for i := range floorFrames {
		frame := f.frames[i*floorFrame : (i+1)*floorFrame]
		piece := unix.Iovec{Base: &frame[gruntFrameHead]}
		piece.SetLen(grunt.MaxTransferChunk)
		f.pieces = append(f.pieces, piece)
	}
	return nil
}

// putHead writes the head of a frame with so many bytes of the file.
func (f *PatchFloor) putHead(frame, size int) {
	head := f.frames[frame*floorFrame:]
	head[0] = opTransferData
	binary.LittleEndian.PutUint16(head[1:], uint16(size))
}

// Addr is where the floor listens.
func (f *PatchFloor) Addr() netip.AddrPort { return f.addr }

// Serve answers until ctx ends, then closes everything. It locks its goroutine to a
// thread and never gives that up while it runs.
func (f *PatchFloor) Serve(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer f.close()
	// The only way out is the wake that this asks for, so nobody writes to a closed
	// poller.
	defer context.AfterFunc(ctx, f.poll.wake)()
	for {
		for _, event := range f.poll.wait(-1) {
			switch {
			case event.Fd == wakeToken.slot:
				return nil
			case event.Fd == int32(f.listener):
				f.greet()
			case event.Events&unix.EPOLLIN != 0:
				f.answer(int(event.Fd))
			default:
				f.send(int(event.Fd))
			}
		}
	}
}

func (f *PatchFloor) greet() {
	fd, e := rawAccept(f.listener)
	if e != 0 {
		return
	}
	if fd >= floorConns || f.poll.add(fd, unix.EPOLLIN, token{slot: int32(fd)}) != 0 {
		rawClose(fd)
		return
	}
	// Where the kernel keeps all that fits, a socket is asked again and again for a rest
	// that it has no room for, and what was read for it is thrown away.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, floorUnsent)
	f.sent[fd] = 0
}

// answer takes one request: the canned bytes for the sign-in, and the file for whoever
// accepts it.
func (f *PatchFloor) answer(fd int) {
	n, e := rawRead(fd, f.buf[:])
	if e == unix.EAGAIN || e == unix.EINTR {
		return
	}
	reply := f.offer
	switch {
	case e != 0 || n == 0:
		rawClose(fd)
		return
	case f.buf[0] == opChallenge:
		reply = f.canned.challenge
	case f.buf[0] != opProof: // the file is wanted
		_ = f.poll.change(fd, unix.EPOLLIN|unix.EPOLLOUT, token{slot: int32(fd)})
		return
	}
	_, _ = rawWrite(fd, reply)
}

// send reads the next frames and writes what the socket takes of them.
func (f *PatchFloor) send(fd int) {
	at := f.sent[fd]
	if at == f.total { // the client goes
		_ = f.poll.change(fd, unix.EPOLLIN, token{slot: int32(fd)})
		return
	}
	first := at / floorFrame
	n, ok := f.read(first * grunt.MaxTransferChunk)
	if !ok {
		rawClose(fd)
		return
	}
	if sent, e := rawWrite(fd, f.frames[at-first*floorFrame:n]); e == 0 {
		f.sent[fd] += uint64(sent)
	} else if e != unix.EAGAIN {
		rawClose(fd)
	}
}

// read makes frames of the file from offset on and returns how long they are.
func (f *PatchFloor) read(offset uint64) (int, bool) {
	rest := min(f.size-offset, floorFrames*grunt.MaxTransferChunk)
	n, _, e := unix.RawSyscall6(unix.SYS_PREADV, f.file.Fd(), uintptr(unsafe.Pointer(&f.pieces[0])), floorFrames,
		uintptr(offset), 0, 0)
	if e != 0 || uint64(n) < rest {
		return 0, false
	}
	size := 0
	for frame := 0; rest > 0; frame++ {
		data := min(rest, grunt.MaxTransferChunk)
		f.putHead(frame, int(data))
		rest -= data
		size += gruntFrameHead + int(data)
	}
	return size, true
}

func (f *PatchFloor) close() {
	_, _ = unix.Close(f.listener), f.file.Close()
	f.poll.close()
}
