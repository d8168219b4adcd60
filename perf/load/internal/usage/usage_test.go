//go:build linux

package usage

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// mustProc makes a directory with files in the form of /proc.
func mustProc(t *testing.T, files map[string]string) Reader {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Reader{root: root}
}

const statLine = "7 (a ) name) S 1 7 7 0 -1 4194560 200 0 0 0 25 17 0 0 20 0 5 0 100 0 0 " +
	"18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

func TestReader_CPU_SumsThreads(t *testing.T) {
	r := mustProc(t, map[string]string{
		"7/stat":             statLine,
		"7/task/7/schedstat": "400000001 5 9\n",
		"7/task/8/schedstat": "20000002 5 9\n",
		"7/task/6/comm":      "ended while its files were read\n",
		"9/stat":             statLine,
		"9/task/9/schedstat": "1000 0 1\n",
	})
	got, err := r.CPU([]int{7, 9})
	want := CPU{fine: 420001003, coarse: 840 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("CPU = %v, %v, want %v", got, err, want)
	}
}

func TestReader_ProcessGone(t *testing.T) {
	r := mustProc(t, nil)
	if _, err := r.CPU([]int{7}); !errors.Is(err, ErrProcessGone) {
		t.Errorf("CPU = %v, want ErrProcessGone", err)
	}
	if _, err := r.RSS([]int{7}); !errors.Is(err, ErrProcessGone) {
		t.Errorf("RSS = %v, want ErrProcessGone", err)
	}
}

func TestCPU_Since(t *testing.T) {
	before := CPU{fine: time.Second, coarse: time.Second}
	cases := []struct {
		name  string
		after CPU
		want  time.Duration
	}{
		{"both agree: the fine one", CPU{fine: 1500 * time.Millisecond, coarse: 1510 * time.Millisecond}, 500 * time.Millisecond},
		{"a thread ended: the coarse one", CPU{fine: 1200 * time.Millisecond, coarse: 1510 * time.Millisecond}, 510 * time.Millisecond},
		{"no schedstat: the coarse one", CPU{fine: time.Second, coarse: 1510 * time.Millisecond}, 510 * time.Millisecond},
	}
	for _, c := range cases {
		if got := c.after.Since(before); got != c.want {
			t.Errorf("%s: Since = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestReader_RSS(t *testing.T) {
	r := mustProc(t, map[string]string{
		"7/smaps_rollup": "00400000-7fff [rollup]\nRss:    2048 kB\nPss:  1 kB\n",
		"7/status":       "Name:\tx\nVmRSS:\t    9999 kB\n",
		"8/status":       "Name:\tx\nVmRSS:\t    1024 kB\n",
	})
	got, err := r.RSS([]int{7, 8})
	if want := int64(3 << 20); err != nil || got != want {
		t.Errorf("RSS = %d, %v, want %d", got, err, want)
	}
}

func TestReader_RefusesOtherForms(t *testing.T) {
	for _, stat := range []string{"", "x", "7 (x", "7 (x) S 1 2", "7 (x) S 1 7 7 0 -1 4 2 0 0 0 a b 0"} {
		r := mustProc(t, map[string]string{"7/stat": stat, "7/task/7/schedstat": "1 2 3\n"})
		if got, err := r.CPU([]int{7}); err == nil {
			t.Errorf("stat %q: CPU = %v, want an error", stat, got)
		}
	}
	for _, schedstat := range []string{"", "x 1 2"} {
		r := mustProc(t, map[string]string{"7/stat": statLine, "7/task/7/schedstat": schedstat})
		if got, err := r.CPU([]int{7}); err == nil {
			t.Errorf("schedstat %q: CPU = %v, want an error", schedstat, got)
		}
	}
	for _, status := range []string{"", "VmRSS: x kB\n", "VmRSS: 1 MB\n", "VmData: 1 kB\n"} {
		r := mustProc(t, map[string]string{"7/status": status})
		if got, err := r.RSS([]int{7}); err == nil {
			t.Errorf("status %q: RSS = %d, want an error", status, got)
		}
	}
}

func TestReader_Sockets(t *testing.T) {
	r := mustProc(t, map[string]string{"net/sockstat": "sockets: used 15\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 42\nUDP: inuse 0 mem 7\n"})
	if n, err := r.Sockets(); err != nil || n != 42*int64(os.Getpagesize()) {
		t.Errorf("%d, %v, want 42 pages", n, err)
	}
	r = mustProc(t, map[string]string{"net/sockstat": "UDP: inuse 0 mem 7\n"})
	if _, err := r.Sockets(); err == nil {
		t.Error("found what is not there")
	}
}

func TestNewReader_ReadsItself(t *testing.T) {
	r, self := NewReader(), []int{os.Getpid()}
	c, err := r.CPU(self)
	if err != nil {
		t.Fatal(err)
	}
	if c.fine < 0 || c.coarse < 0 {
		t.Errorf("CPU = %v", c)
	}
	if n, err := r.RSS(self); err != nil || n < 1<<20 {
		t.Errorf("RSS = %d, %v, want some MiB", n, err)
	}
}
