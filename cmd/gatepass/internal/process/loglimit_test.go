package process

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sharedLines is a log that timers write to.
type sharedLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *sharedLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *sharedLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A cause has one line, and one each ten seconds that says how many were left out, whoever
// brought it about and whatever numbers are in it.
func TestLogLimiter_OneLineACause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sharedLines
		l := newLogLimiter(slog.NewTextHandler(&out, nil))
		log := slog.New(l).With("part", "logic")
		for i := range 1000 {
			log.Error("account could not be read", "account", fmt.Sprint("A", i), "error", fmt.Errorf("block %d of table 0000%d", i, i))
			log.Warn(fmt.Sprintf("nats: 192.0.2.%d:%d went", i%256, i))
			slog.New(l).With("part", "gate").Error("account could not be read", "account", "X", "error", "block 1 of table 00001")
		}
		count := func() int { return strings.Count(out.String(), "\n") }
		if n := count(); n != 3 {
			t.Fatalf("%d lines for three causes:\n%.2000s", n, out.String())
		}
		time.Sleep(logEvery + time.Second)
		synctest.Wait()
		if n := count(); n != 6 || strings.Count(out.String(), "repeated=999") != 3 {
			t.Fatalf("%d lines after ten seconds:\n%.2000s", n, out.String())
		}
		time.Sleep(3 * logEvery)
		synctest.Wait()
		log.Error("account could not be read", "account", "B", "error", "block 7 of table 3")
		if n := count(); n != 7 || strings.Count(out.String(), "repeated=") != 3 {
			t.Errorf("%d lines after a pause:\n%.2000s", n, out.String())
		}
		log.Error("account could not be read", "account", "C", "error", "block 7 of table 3")
		l.close()
		if n := count(); n != 8 || !strings.Contains(out.String(), "account=C error=\"block 7 of table 3\" repeated=1") {
			t.Errorf("%d lines at the end:\n%.2000s", n, out.String())
		}
		if n := l.shared.left.Load(); n != 3*999+1 {
			t.Errorf("%d lines are counted as left out", n)
		}
	})
}

// Different causes have lines of their own, up to a bound.
func TestLogLimiter_Bounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sharedLines
		l := newLogLimiter(slog.NewTextHandler(&out, nil))
		log := slog.New(l)
		letters := func(n int) string { return strings.Repeat("x", n) }
		for i := range 1000 {
			log.Error("a patch cannot be offered", "error", errors.New(letters(i)))
		}
		if n := strings.Count(out.String(), "\n"); n != logSame+1 {
			t.Errorf("%d lines for causes of one message, want %d", n, logSame+1)
		}
		for i := range 1000 {
			log.Error("message " + letters(i))
		}
		l.shared.mu.Lock()
		kept := len(l.shared.causes)
		l.shared.mu.Unlock()
		if n := strings.Count(out.String(), "\n"); n > logCauses+1 || kept > logCauses+1 {
			t.Errorf("%d lines, %d causes are kept", n, kept)
		}
		before := strings.Count(out.String(), "\n")
		for range 100 {
			log.Info("below a warning")
			log.Warn("each counts", logAlways, true, "account", "A")
		}
		if n := strings.Count(out.String(), "\n") - before; n != 200 {
			t.Errorf("%d lines that always pass, want 200", n)
		}
		time.Sleep(3 * logEvery)
		synctest.Wait()
		l.shared.mu.Lock()
		if n := len(l.shared.causes) + len(l.shared.same); n != 0 {
			t.Errorf("%d causes are kept for ever", n)
		}
		l.shared.mu.Unlock()
		l.close()
	})
}
