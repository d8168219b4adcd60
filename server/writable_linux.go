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

// writable reports when sockets can be written to again. It is an epoll besides those of the
// loops, because the loops report this only while they have bytes of their own to write. An
// armed socket fires once, with the connection's handle. An event that comes late, for a
// closed socket, is detected at the connection table. A closed socket leaves the epoll by
// itself.
//
// Go's poller waits for the epoll, as for any socket. The waiting goroutine therefore occupies
// neither a thread nor a processor.
type writable struct {
	// static after construction
	file *os.File
	raw  syscall.RawConn
	look func(uintptr) bool // poll as a method value, made once
	fd   int

	// owned by the waiter
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
		err = w.file.SetReadDeadline(time.Time{}) // fails if Go cannot poll the file
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch an epoll: %w", err), w.file.Close())
	}
	return w, nil
}

// arm makes the socket report once when it can be written to. again says that it was armed
// before. Reactor of the connection.
func (w *writable) arm(sock int, conn codec.Conn, again bool) error {
	op := unix.EPOLL_CTL_ADD
	if again {
		op = unix.EPOLL_CTL_MOD
	}
	e := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLONESHOT, Fd: int32(uint32(conn)), Pad: int32(uint32(conn >> 32))}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.fd, op, sock, &e))
}

// forget removes an armed socket. Reactor of the connection.
func (w *writable) forget(sock int) {
	_ = unix.EpollCtl(w.fd, unix.EPOLL_CTL_DEL, sock, nil)
}

// wait waits until some sockets can be written to, and returns their handles, which are valid
// until the next call. After an error, the waiter ends.
func (w *writable) wait() ([]codec.Conn, error) {
	w.conns = w.conns[:0]
	err := w.raw.Read(w.look)
	return w.conns, errors.Join(err, w.failed)
}

// poll reads the pending events; false means that there are none.
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

// interrupt makes every wait return an error from now on.
func (w *writable) interrupt() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) }

// close closes the epoll. Call it when nothing can arm a socket any more.
func (w *writable) close() { _ = w.file.Close() }

// epoll returns a descriptor that is readable when wait would return.
func (w *writable) epoll() int { return w.fd }

// press makes the kernel take the rest of a frame, a few KiB, beyond the limit of
// keepUnsentLow. The bytes cost less in the kernel than here, and 10,000 clients that read
// nothing may all have been cut at the same place. What the kernel does not take for lack of
// memory is left over.
func press(sock int, rest []byte) (taken int, err error) {
	_ = unix.SetsockoptInt(sock, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, math.MaxInt32)
	taken, err = writeNow(sock, rest)
	keepUnsentLow(sock)
	return taken, err
}

// keepUnsentLow limits what the kernel keeps of a file for a client that does not read.
func keepUnsentLow(sock int) {
	// An error is ignored: it only costs memory.
	_ = unix.SetsockoptInt(sock, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLow)
}
