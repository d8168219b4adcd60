package load

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"time"
)

// procfs reads what a process has used from /proc.
//
// CPU time comes from task/TID/schedstat, in nanoseconds, summed over the
// threads that live: the kernel's own sum in /proc/PID/stat goes in ticks of
// 10 ms, and /proc/PID/schedstat is of the first thread only. A thread that
// ended took its nanoseconds with it, so usage keeps both, and between two
// readings the larger counts.
type procfs struct{ root fs.FS }

func hostProc() procfs { return procfs{root: os.DirFS("/proc")} }

// ErrProcessGone says that a process to be measured does not exist (any more).
var ErrProcessGone = errors.New("load: process does not exist")

// clockTick is the unit of /proc/PID/stat, fixed for user space at 100 a
// second.
const clockTick = 10 * time.Millisecond

// usage is what the threads of a process have used up to a moment.
type usage struct {
	fine   time.Duration // sum over living threads
	coarse time.Duration // the kernel's sum, in ticks
}

// since is the CPU time between two readings of the same process.
func (u usage) since(before usage) time.Duration {
	fine, coarse := u.fine-before.fine, u.coarse-before.coarse
	// The two disagree by a tick or so. Much more means that threads ended or
	// that the kernel has no schedstat.
	if coarse > fine+fine/50+4*clockTick {
		return coarse
	}
	return fine
}

func (u usage) plus(v usage) usage {
	return usage{fine: u.fine + v.fine, coarse: u.coarse + v.coarse}
}

// usageOf sums the CPU time of processes.
func (p procfs) usageOf(pids []int) (usage, error) {
	var sum usage
	for _, pid := range pids {
		u, err := p.cpu(pid)
		if err != nil {
			return usage{}, err
		}
		sum = sum.plus(u)
	}
	return sum, nil
}

func (p procfs) cpu(pid int) (usage, error) {
	stat, err := p.read(pid, "stat")
	if err != nil {
		return usage{}, err
	}
	coarse, err := parseStat(stat)
	if err != nil {
		return usage{}, fmt.Errorf("load: /proc/%d/stat: %w", pid, err)
	}
	fine, err := p.threads(pid)
	return usage{fine: fine, coarse: coarse}, err
}

// threads sums schedstat over the living threads; 0 when the kernel keeps none.
func (p procfs) threads(pid int) (time.Duration, error) {
	tasks, err := fs.ReadDir(p.root, path.Join(strconv.Itoa(pid), "task"))
	if err != nil {
		return 0, p.gone(pid, err)
	}
	var sum time.Duration
	for _, task := range tasks {
		b, err := p.read(pid, path.Join("task", task.Name(), "schedstat"))
		if err != nil {
			continue // ended meanwhile
		}
		ran, err := parseSchedstat(b)
		if err != nil {
			return 0, fmt.Errorf("load: schedstat of process %d: %w", pid, err)
		}
		sum += ran
	}
	return sum, nil
}

// rss is the resident memory of processes in bytes.
func (p procfs) rss(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		n, err := p.rssOf(pid)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// rssOf prefers smaps_rollup, which walks the pages; the counters behind
// status lag by some pages a thread.
func (p procfs) rssOf(pid int) (int64, error) {
	if b, err := p.read(pid, "smaps_rollup"); err == nil {
		if n, err := parseKilobytes(b, "Rss:"); err == nil {
			return n, nil
		}
	}
	b, err := p.read(pid, "status")
	if err != nil {
		return 0, err
	}
	n, err := parseKilobytes(b, "VmRSS:")
	if err != nil {
		return 0, fmt.Errorf("load: /proc/%d/status: %w", pid, err)
	}
	return n, nil
}

func (p procfs) read(pid int, name string) ([]byte, error) {
	b, err := fs.ReadFile(p.root, path.Join(strconv.Itoa(pid), name))
	if err != nil {
		return nil, p.gone(pid, err)
	}
	return b, nil
}

func (p procfs) gone(pid int, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %d", ErrProcessGone, pid)
	}
	return fmt.Errorf("load: process %d: %w", pid, err)
}

var errProcFormat = errors.New("not in the form known")

// parseStat returns user and system time of a whole process. The name, the
// second field, may hold anything, a closing bracket too.
func parseStat(b []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[end+1:])
	const user, system = 11, 12 // counted from the state, the field after the name
	if end < 0 || len(fields) <= system {
		return 0, errProcFormat
	}
	u, errU := strconv.ParseInt(string(fields[user]), 10, 64)
	s, errS := strconv.ParseInt(string(fields[system]), 10, 64)
	if errU != nil || errS != nil {
		return 0, errProcFormat
	}
	return time.Duration(u+s) * clockTick, nil
}

// parseSchedstat returns the time a thread has run.
func parseSchedstat(b []byte) (time.Duration, error) {
	fields := bytes.Fields(b)
	if len(fields) < 1 {
		return 0, errProcFormat
	}
	n, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0, errProcFormat
	}
	return time.Duration(n), nil
}

// parseKilobytes returns the value of a line "KEY  N kB", in bytes.
func parseKilobytes(b []byte, key string) (int64, error) {
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[0]) != key || string(fields[2]) != "kB" {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return 0, errProcFormat
		}
		return n << 10, nil
	}
	return 0, errProcFormat
}
