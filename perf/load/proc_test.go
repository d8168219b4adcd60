package load

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"testing/fstest"
	"time"
)

func fakeProc(files map[string]string) procfs {
	root := fstest.MapFS{}
	for name, content := range files {
		root[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return procfs{root: root}
}

const statLine = "7 (a ) name) S 1 7 7 0 -1 4194560 200 0 0 0 25 17 0 0 20 0 5 0 100 0 0\n"

func TestProcfs_CPU_SumsThreads(t *testing.T) {
	p := fakeProc(map[string]string{
		"7/stat":             statLine,
		"7/task/7/schedstat": "400000001 5 9\n",
		"7/task/8/schedstat": "20000002 5 9\n",
		"9/stat":             statLine,
		"9/task/9/schedstat": "1000 0 1\n",
	})
	got, err := p.usageOf([]int{7, 9})
	want := usage{fine: 420001003, coarse: 840 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("usageOf = %v, %v, want %v", got, err, want)
	}
}

func TestProcfs_CPU_ProcessGone(t *testing.T) {
	p := fakeProc(nil)
	if _, err := p.usageOf([]int{7}); !errors.Is(err, ErrProcessGone) {
		t.Errorf("usageOf = %v, want ErrProcessGone", err)
	}
	if _, err := p.rss([]int{7}); !errors.Is(err, ErrProcessGone) {
		t.Errorf("rss = %v, want ErrProcessGone", err)
	}
}

func TestUsage_Since(t *testing.T) {
	before := usage{fine: time.Second, coarse: time.Second}
	cases := []struct {
		name  string
		after usage
		want  time.Duration
	}{
		{"both agree: the fine one", usage{fine: 1500 * time.Millisecond, coarse: 1510 * time.Millisecond}, 500 * time.Millisecond},
		{"a thread ended: the coarse one", usage{fine: 1200 * time.Millisecond, coarse: 1510 * time.Millisecond}, 510 * time.Millisecond},
		{"no schedstat: the coarse one", usage{fine: time.Second, coarse: 1510 * time.Millisecond}, 510 * time.Millisecond},
	}
	for _, c := range cases {
		if got := c.after.since(before); got != c.want {
			t.Errorf("%s: since = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestProcfs_RSS(t *testing.T) {
	p := fakeProc(map[string]string{
		"7/smaps_rollup": "00400000-7fff [rollup]\nRss:    2048 kB\nPss:  1 kB\n",
		"7/status":       "Name:\tx\nVmRSS:\t    9999 kB\n",
		"8/status":       "Name:\tx\nVmRSS:\t    1024 kB\n",
	})
	got, err := p.rss([]int{7, 8})
	if want := int64(3 << 20); err != nil || got != want {
		t.Errorf("rss = %d, %v, want %d", got, err, want)
	}
}

func TestProcParsers_RefuseOtherForms(t *testing.T) {
	for _, b := range []string{"", "x", "7 (x", "7 (x) S 1 2", "7 (x) S 1 7 7 0 -1 4 2 0 0 0 a b 0"} {
		if _, err := parseStat([]byte(b)); err == nil {
			t.Errorf("parseStat(%q) took it", b)
		}
	}
	for _, b := range []string{"", "x 1 2"} {
		if _, err := parseSchedstat([]byte(b)); err == nil {
			t.Errorf("parseSchedstat(%q) took it", b)
		}
	}
	for _, b := range []string{"", "Rss: x kB\n", "Rss: 1 MB\n", "Pss: 1 kB\n"} {
		if _, err := parseKilobytes([]byte(b), "Rss:"); err == nil {
			t.Errorf("parseKilobytes(%q) took it", b)
		}
	}
}

func TestHostProc_ReadsItself(t *testing.T) {
	p, self := hostProc(), []int{os.Getpid()}
	u, err := p.usageOf(self)
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip("only Linux has /proc: ", err)
	}
	if u.fine < 0 || u.coarse < 0 {
		t.Errorf("usage = %v", u)
	}
	if n, err := p.rss(self); err != nil || n < 1<<20 {
		t.Errorf("rss = %d, %v, want some MiB", n, err)
	}
}
