package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/prometheus/procfs"
)

// process opens the directory of a process.
func (r Reader) process(pid int) (procfs.FS, procfs.Proc, error) {
	proc, err := procfs.NewFS(r.root)
	if err != nil {
		return proc, procfs.Proc{}, gone(pid, err)
	}
	p, err := proc.Proc(pid)
	if err != nil {
		return proc, p, gone(pid, err)
	}
	return proc, p, nil
}

func (r Reader) cpuOf(pid int) (CPU, error) {
	proc, p, err := r.process(pid)
	if err != nil {
		return CPU{}, err
	}
	stat, err := p.Stat()
	if err != nil {
		return CPU{}, gone(pid, err)
	}
	fine, err := threads(proc, pid)
	return CPU{fine: fine, coarse: time.Duration(stat.UTime+stat.STime) * clockTick}, err
}

// threads returns the sum of the run times of the process's threads; 0 if the kernel does
// not count them.
func threads(proc procfs.FS, pid int) (time.Duration, error) {
	tasks, err := proc.AllThreads(pid)
	if err != nil {
		return 0, gone(pid, err)
	}
	var sum time.Duration
	for _, task := range tasks {
		stat, err := task.Schedstat()
		if file := (*fs.PathError)(nil); errors.As(err, &file) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, fmt.Errorf("load: schedstat of process %d: %w", pid, err)
		}
		sum += time.Duration(stat.RunningNanoseconds)
	}
	return sum, nil
}

// rssOf prefers smaps_rollup, for which the kernel counts the pages. The counters behind
// status are late by some pages a thread.
func (r Reader) rssOf(pid int) (int64, error) {
	_, p, err := r.process(pid)
	if err != nil {
		return 0, err
	}
	if rollup, err := p.ProcSMapsRollup(); err == nil && rollup.Rss > 0 {
		return int64(rollup.Rss), nil
	}
	status, err := p.NewStatus()
	if err != nil {
		return 0, gone(pid, err)
	}
	if status.VmRSS == 0 {
		return 0, fmt.Errorf("load: /proc/%d/status: %w", pid, errNoValue)
	}
	return int64(status.VmRSS), nil
}

// Sockets returns how much memory the TCP sockets of this machine use, in bytes. The
// resident memory of the processes does not include it.
func (r Reader) Sockets() (int64, error) {
	proc, err := procfs.NewFS(r.root)
	if err != nil {
		return 0, fmt.Errorf("load: memory of sockets: %w", err)
	}
	stat, err := proc.NetSockstat()
	if err != nil {
		return 0, fmt.Errorf("load: memory of sockets: %w", err)
	}
	for _, p := range stat.Protocols {
		if p.Protocol == "TCP" && p.Mem != nil {
			return int64(*p.Mem) * int64(os.Getpagesize()), nil
		}
	}
	return 0, fmt.Errorf("load: /proc/net/sockstat: %w", errNoValue)
}

// errNoValue says that a file in /proc lacks the value.
var errNoValue = errors.New("not in the form known")

func gone(pid int, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %d", ErrProcessGone, pid)
	}
	return fmt.Errorf("load: process %d: %w", pid, err)
}
