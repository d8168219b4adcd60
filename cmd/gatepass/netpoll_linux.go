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
// sees, and sleeps for a moment behind it: the timer makes the scheduler poll.
//
// That has its price: a login beside it costs up to a third more. So it does this
// only while there is much to see: traffic counts the bus's messages, and moves
// bring many, logins few.
//
// The runtime does not tell which descriptor its epoll is. It is the one that
// watches a pipe of ours; where it cannot be found, moves are slow now and then and
// nothing else is different.
func keepPolling(ctx context.Context, traffic func() uint64) {
	epoll, ok := runtimeEpoll()
	if !ok {
		return
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for last := traffic(); ; {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		now := traffic()
		if now-last >= muchTraffic {
			pollFor(epoll, lookEvery)
		}
		last = now
	}
}

// lookEvery is how often keepPolling looks whether there is traffic, muchTraffic
// how many messages in that time are much: some 70 moves a second.
const (
	lookEvery   = 100 * time.Millisecond
	muchTraffic = 50
)

// pollFor lets the scheduler poll whenever there is something in epoll.
func pollFor(epoll int, span time.Duration) {
	for end := time.Now().Add(span); time.Now().Before(end); {
		set := [1]unix.PollFd{{Fd: int32(epoll), Events: unix.POLLIN}}
		limit := unix.NsecToTimespec(int64(span))
		_, _, _ = syscall.Syscall6(unix.SYS_PPOLL,
			uintptr(unsafe.Pointer(&set)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		time.Sleep(20 * time.Microsecond)
	}
}

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
