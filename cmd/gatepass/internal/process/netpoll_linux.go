package process

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

// keepPolling makes Go's scheduler poll the sockets of the bus often enough in a process
// that runs Go code on one processor (GOMAXPROCS 1). It returns when ctx ends.
//
// A gnet reactor sleeps in an epoll of its own. For the scheduler that is a system call
// which holds the only processor, so that nothing waits for the sockets of Go's network
// poller. Only the scheduler's watchdog polls them: every 10 ms on a server that is
// neither idle nor busy, which delays every step of a move of keys. This goroutine waits
// for the runtime's epoll to become readable, in a system call during which the scheduler
// may give the processor to others, and then sleeps for a moment: the timer makes the
// scheduler poll.
//
// It makes a login up to a third more expensive. So it runs only while the bus has many
// messages, which traffic counts: moves send many, logins few.
//
// The runtime does not tell which descriptor its epoll has. It is the epoll that watches
// a pipe of ours. If it cannot be found, some moves are slow and nothing else differs.
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

// lookEvery is how often keepPolling reads the traffic. muchTraffic is how many messages
// in that time make it poll: some 70 moves a second.
const (
	lookEvery   = 100 * time.Millisecond
	muchTraffic = 50
)

// pollFor makes the scheduler poll whenever epoll is readable, for span.
func pollFor(epoll int, span time.Duration) {
	for end := time.Now().Add(span); time.Now().Before(end); {
		set := [1]unix.PollFd{{Fd: int32(epoll), Events: unix.POLLIN}}
		limit := unix.NsecToTimespec(int64(span))
		_, _, _ = syscall.Syscall6(unix.SYS_PPOLL,
			uintptr(unsafe.Pointer(&set)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		time.Sleep(20 * time.Microsecond)
	}
}

// runtimeEpoll returns the descriptor of the runtime's epoll.
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

// epollThatWatches returns the epoll of this process that watches a descriptor; see
// proc_pid_fdinfo(5).
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
