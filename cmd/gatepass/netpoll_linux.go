package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// keepPolling sees to it that Go's scheduler looks at the sockets of the bus, where
// a process runs Go code on one processor only, until ctx ends.
//
// A gnet reactor sleeps in its own epoll. To the scheduler that is a system call
// that has the only processor; nobody is left who would wait for Go's own sockets,
// and they are looked at when the scheduler's watchdog comes round: every 10 ms on
// a server that is neither idle nor busy, at each step of a move. This goroutine
// waits for the runtime's epoll to become readable in a call that the scheduler
// sees, and sleeps for a moment behind it: the timer makes the scheduler poll. It
// wakes for what comes over Go's sockets only; clients' are gnet's.
//
// The runtime does not tell which descriptor its epoll is. It is the one that
// watches a pipe of ours; where it cannot be found, moves are slow now and then and
// nothing else is different.
func keepPolling(ctx context.Context) {
	epoll, ok := runtimeEpoll()
	for ok && ctx.Err() == nil {
		set := [1]unix.PollFd{{Fd: int32(epoll), Events: unix.POLLIN}}
		limit := unix.NsecToTimespec(int64(pollAtMost))
		_, _, _ = syscall.Syscall6(unix.SYS_PPOLL,
			uintptr(unsafe.Pointer(&set)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		time.Sleep(20 * time.Microsecond)
	}
}

// pollAtMost is how long keepPolling may take to see that it is to end.
const pollAtMost = 500 * time.Millisecond

// runtimeEpoll is the descriptor of the runtime's epoll.
func runtimeEpoll() (fd int, ok bool) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, false
	}
	defer r.Close()
	defer w.Close()
	raw, err := r.SyscallConn()
	if err != nil {
		return 0, false
	}
	if raw.Control(func(pipe uintptr) { fd, ok = epollThatWatches(int(pipe)) }) != nil {
		return 0, false
	}
	return fd, ok
}

// epollThatWatches finds an epoll of this process by one of the descriptors in it;
// see proc_pid_fdinfo(5).
func epollThatWatches(fd int) (epoll int, ok bool) {
	entries, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		return 0, false
	}
	for _, e := range entries {
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if err != nil {
			continue // closed meanwhile
		}
		for line := range strings.Lines(string(info)) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "tfd:" || words[1] != strconv.Itoa(fd) {
				continue
			}
			epoll, err = strconv.Atoi(e.Name())
			return epoll, err == nil
		}
	}
	return 0, false
}
