package floor

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
	"gatepass/perf/load/internal/loop"
	"gatepass/perf/load/internal/protocol"
)

// Patch is the least that a server of patches can do: one epoll loop that answers
// sign-ins of the grunt protocol with fixed bytes and then sends the file. It reads 124 KiB
// at a time with preadv, into a buffer with room for the frames' heads, and writes them.
// It has no arithmetic, no limits and no encryption. A real server's cost above the floor
// is the cost of these.
//
// Like Floor, it relies on its clients and must not be reachable from a network.
type Patch struct {
	poll     *loop.Poller
	listener int
	addr     netip.AddrPort
	file     *os.File
	size     uint64 // of the file
	total    uint64 // of its frames
	canned   Canned
	offer    []byte
	sent     []uint64 // by descriptor: bytes of the frames that are sent
	frames   []byte   // floorFrames of them
	pieces   []unix.Iovec
	buf      [512]byte
}

const (
	// framesAtOnce is how many frames the floor reads and writes at once. They are less than
	// 128 KiB, which the kernel sends in two of its largest segments; a little more would
	// need a third segment.
	framesAtOnce = 31
	// fullFrame is the length of a full frame.
	fullFrame = protocol.GruntFrameHead + grunt.MaxTransferChunk
	// maxUnsent is the number of unsent bytes below which a socket is writable.
	maxUnsent = 128 << 10
)

// ListenPatch opens the floor's socket. Clients can connect from then on. Port 0
// selects a free port. The whole file is read once for its hash.
func ListenPatch(addr netip.AddrPort, path string) (*Patch, error) {
	f := &Patch{canned: NewCanned(), sent: make([]uint64, maxDescriptor), frames: make([]byte, framesAtOnce*fullFrame)}
	if err := f.open(path); err != nil {
		return nil, err
	}
	var err error
	if f.listener, f.addr, err = loop.Listen(addr); err != nil {
		_ = f.file.Close()
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if f.poll, err = loop.NewPoller(); err != nil {
		_, _ = unix.Close(f.listener), f.file.Close()
		return nil, err
	}
	if e := f.poll.Add(f.listener, unix.EPOLLIN, loop.Token{Slot: int32(f.listener)}); e != 0 {
		f.close()
		return nil, fmt.Errorf("epoll_ctl: %w", e)
	}
	return f, nil
}

// open hashes the file and lays out the frames.
func (f *Patch) open(path string) error {
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
	f.total = f.size + (f.size+grunt.MaxTransferChunk-1)/grunt.MaxTransferChunk*protocol.GruntFrameHead
	refusal := codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultVersionUpdate}
	f.offer = grunt.AppendProofReply(nil, grunt.Layout8, &refusal)
	f.offer = grunt.AppendTransferOffer(f.offer, &codec.TransferOffer{Size: f.size, MD5: [16]byte(sum.Sum(nil))})
	for i := range framesAtOnce {
		frame := f.frames[i*fullFrame : (i+1)*fullFrame]
		piece := unix.Iovec{Base: &frame[protocol.GruntFrameHead]}
		piece.SetLen(grunt.MaxTransferChunk)
		f.pieces = append(f.pieces, piece)
	}
	return nil
}

// putHead writes the head of a frame that has size bytes of the file.
func (f *Patch) putHead(frame, size int) {
	head := f.frames[frame*fullFrame:]
	head[0] = protocol.OpTransferData
	binary.LittleEndian.PutUint16(head[1:], uint16(size))
}

// Addr returns the address at which the floor listens.
func (f *Patch) Addr() netip.AddrPort { return f.addr }

// Serve answers until ctx ends, then closes everything. It locks its goroutine to a
// thread, which it keeps busy while it runs.
func (f *Patch) Serve(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer f.close()
	// Only this wake ends the loop, so it cannot write to a closed poller.
	defer context.AfterFunc(ctx, f.poll.Wake)()
	for {
		for _, event := range f.poll.Wait(-1) {
			switch {
			case event.Fd == loop.WakeSlot:
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

// greet accepts one connection.
func (f *Patch) greet() {
	fd, e := loop.Accept(f.listener)
	if e != 0 {
		return
	}
	if fd >= maxDescriptor || f.poll.Add(fd, unix.EPOLLIN, loop.Token{Slot: int32(fd)}) != 0 {
		loop.Close(fd)
		return
	}
	// Without this limit the socket buffer stays nearly full. The loop would then read many
	// frames of which the socket takes only a few bytes.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	f.sent[fd] = 0
}

// answer processes one request: it answers messages of a sign-in with fixed bytes, and
// starts to send the file when the client accepts it.
func (f *Patch) answer(fd int) {
	n, e := loop.Read(fd, f.buf[:])
	if e == unix.EAGAIN || e == unix.EINTR {
		return
	}
	reply := f.offer
	switch {
	case e != 0 || n == 0:
		loop.Close(fd)
		return
	case f.buf[0] == protocol.OpChallenge:
		reply = f.canned.Challenge
	case f.buf[0] != protocol.OpProof: // the client accepts the file
		_ = f.poll.Change(fd, unix.EPOLLIN|unix.EPOLLOUT, loop.Token{Slot: int32(fd)})
		return
	}
	_, _ = loop.Write(fd, reply)
}

// send reads the next frames and writes as much of them as the socket takes.
func (f *Patch) send(fd int) {
	at := f.sent[fd]
	if at == f.total { // all is sent; the client closes the connection
		_ = f.poll.Change(fd, unix.EPOLLIN, loop.Token{Slot: int32(fd)})
		return
	}
	first := at / fullFrame
	n, ok := f.read(first * grunt.MaxTransferChunk)
	if !ok {
		loop.Close(fd)
		return
	}
	if sent, e := loop.Write(fd, f.frames[at-first*fullFrame:n]); e == 0 {
		f.sent[fd] += uint64(sent)
	} else if e != unix.EAGAIN {
		loop.Close(fd)
	}
}

// read fills the frames with the file from offset on and returns their total length.
func (f *Patch) read(offset uint64) (int, bool) {
	rest := min(f.size-offset, framesAtOnce*grunt.MaxTransferChunk)
	n, _, e := unix.RawSyscall6(unix.SYS_PREADV, f.file.Fd(), uintptr(unsafe.Pointer(&f.pieces[0])), framesAtOnce,
		uintptr(offset), 0, 0)
	if e != 0 || uint64(n) < rest {
		return 0, false
	}
	size := 0
	for frame := 0; rest > 0; frame++ {
		data := min(rest, grunt.MaxTransferChunk)
		f.putHead(frame, int(data))
		rest -= data
		size += protocol.GruntFrameHead + int(data)
	}
	return size, true
}

func (f *Patch) close() {
	_, _ = unix.Close(f.listener), f.file.Close()
	f.poll.Close()
}
