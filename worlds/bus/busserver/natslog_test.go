package busserver

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Strangers cannot fill the log: what NATS says of each connection is written once in a
// while, with a count, and other lines beside it.
func TestNATSLog_SaysTheSameOnceInAWhile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := time.Hour
	l := &natsLog{to: slog.New(slog.NewTextHandler(&out, nil)), hide: "no such thing", clock: func() time.Duration { return at }}
	refuse := func(n int) {
		for i := range n {
			l.Errorf(fmt.Sprintf("192.0.2.%d:%d - cid:%d - maximum connections exceeded", i%256, 1024+i, i))
		}
	}
	refuse(1000)
	l.Warnf("something else")
	at += natsLogEvery
	refuse(1000)
	text := out.String()
	if n := strings.Count(text, "maximum connections"); n != 2 || !strings.Contains(text, "skipped=999") {
		t.Errorf("%d lines:\n%.1000s", n, text)
	}
	if strings.Count(text, "something else") != 1 {
		t.Errorf("another line is missing:\n%.1000s", text)
	}
	for i := range 10 * natsLogKinds { // each of a kind of its own
		l.Errorf(strings.Repeat("x", i+1))
	}
	if n := strings.Count(out.String(), "\n"); n > natsLogKinds+3 {
		t.Errorf("%d lines", n)
	}
}
