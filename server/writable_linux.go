package server

import (
	"errors"
	"fmt"
	"math"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// writable tells when sockets can be written to again. It is an epoll beside those of
// the loops, which say so only while they have bytes of their own to write. What is
// armed fires once, with the connection's handle, so that what fires late, for a
// socket that is closed, is found out at the table; a closed socket leaves by itself.
//
// The epoll is waited for by Go's poller, as any socket is: who waits keeps neither a
// thread nor a processor.
type writable struct {
	// static after construction
	file *os.File
	raw  syscall.RawConn
	look func(uintptr) bool // poll: made once
	fd   int

	// the waiter's
	events [writableBatch]unix.EpollEvent
	conns  []codec.Conn
	failed error
}

func newWritable() (*writable, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err = unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	w := &writable{file: os.NewFile(uintptr(fd), "writable sockets"), fd: fd}
	w.look = w.poll
	if w.raw, err = w.file.SyscallConn(); err == nil {
		err = w.file.SetReadDeadline(time.Time{}) // fails where Go's poller does not take it
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch an epoll: %w", err), w.file.Close())
	}
	return w, nil
}

// arm has the socket tell once when it can be written to; again says that it was armed
// before. Reactor of the connection.
func (w *writable) arm(sock int, conn codec.Conn, again bool) error {
	op := unix.EPOLL_CTL_ADD
	if again {
		op = unix.EPOLL_CTL_MOD
	}
	e := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLONESHOT, Fd: int32(uint32(conn)), Pad: int32(uint32(conn >> 32))}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.fd, op, sock, &e))
}

// forget takes a socket out that was armed. Reactor of the connection.
func (w *writable) forget(sock int) {
	_ = unix.EpollCtl(w.fd, unix.EPOLL_CTL_DEL, sock, nil)
}

// wait waits until some sockets can be written to; the handles are good until the next
// call. An error is the end.
func (w *writable) wait() ([]codec.Conn, error) {
	w.conns = w.conns[:0]
	err := w.raw.Read(w.look)
	return w.conns, errors.Join(err, w.failed)
}

// poll takes what there is; false means nothing.
func (w *writable) poll(uintptr) bool {
	n, err := unix.EpollWait(w.fd, w.events[:], 0)
	if err != nil {
		if err != unix.EINTR {
			w.failed = os.NewSyscallError("epoll_wait", err)
		}
		return true
	}
	for i := range n {
		e := &w.events[i]
		w.conns = append(w.conns, codec.Conn(uint32(e.Fd))|codec.Conn(uint32(e.Pad))<<32)
	}
	return n > 0
}

// interrupt ends wait for good.
func (w *writable) interrupt() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) }

// close comes when nothing can arm it any more.
func (w *writable) close() { _ = w.file.Close() }

// epoll is what becomes readable when wait would return.
func (w *writable) epoll() int { return w.fd }

// press has the kernel take what is left of a frame, which is a few KiB, beyond the
// bound of keepUnsentLow: there it costs less than here, and 10,000 clients that read
// nothing may well have been cut at the same place. What it does not take for want of
// memory is left.
func press(sock int, rest []byte) (taken int, err error) {
	_ = unix.SetsockoptInt(sock, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, math.MaxInt32)
	taken, err = writeNow(sock, rest)
	keepUnsentLow(sock)
	return taken, err
}

// keepUnsentLow bounds what the kernel keeps of a file for a client that does not read.
func keepUnsentLow(sock int) {
	_ = unix.SetsockoptInt(sock, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLow) // else it only costs memory
}
