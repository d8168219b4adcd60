package usage

import (
	"errors"
	"time"
)

// ErrProcessGone says that a process to be measured does not exist (any more).
var ErrProcessGone = errors.New("load: process does not exist")

// Reader reads /proc. Any goroutine may use it.
type Reader struct{ root string }

// NewReader returns the reader of this machine.
func NewReader() Reader { return Reader{root: "/proc"} }

// clockTick is the unit of the times in /proc/PID/stat. For user space the kernel fixes
// it at 100 a second.
const clockTick = 10 * time.Millisecond

// CPU is the CPU time that a process has used up to a moment.
//
// The kernel's sum in /proc/PID/stat counts in ticks of 10 ms. /proc/PID/task/TID/schedstat
// counts in nanoseconds, but a thread that ends takes its time with it. CPU keeps both, and
// Since chooses between them.
type CPU struct {
	fine   time.Duration // sum over the threads that exist, in nanoseconds
	coarse time.Duration // the kernel's sum, in ticks
}

// Since returns the CPU time between two readings of the same process.
func (c CPU) Since(before CPU) time.Duration {
	fine, coarse := c.fine-before.fine, c.coarse-before.coarse
	// The two differ by a tick or so. A larger difference means that threads have ended or
	// that the kernel has no schedstat.
	if coarse > fine+fine/50+4*clockTick {
		return coarse
	}
	return fine
}

func (c CPU) plus(d CPU) CPU {
	return CPU{fine: c.fine + d.fine, coarse: c.coarse + d.coarse}
}

// CPU returns the sum of the CPU times of processes.
func (r Reader) CPU(pids []int) (CPU, error) {
	var sum CPU
	for _, pid := range pids {
		c, err := r.cpuOf(pid)
		if err != nil {
			return CPU{}, err
		}
		sum = sum.plus(c)
	}
	return sum, nil
}

// RSS returns the sum of the resident memory of processes, in bytes.
func (r Reader) RSS(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		n, err := r.rssOf(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
