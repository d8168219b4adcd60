package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgress_NoTerminal_WritesALineNowAndThen(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := New(&out)
	p.now = func() time.Time { return now }
	p.Name("server")
	p.Begin("logins", 10_000)
	for range 100 {
		now = now.Add(100 * time.Millisecond)
		p.Set(now.UnixMilli(), uint64(now.UnixMilli()))
	}
	p.End()
	want := "server: logins\nserver: logins: 50 %, 5000 logins\nserver: logins: 100 %, 10000 logins\n"
	if out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func TestProgress_NobodyKnowsHowMany_NoPercent(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := New(&out)
	p.now = func() time.Time { return now }
	p.Begin("logins", 0)
	now = now.Add(time.Minute)
	p.Set(5, 5)
	if want := "logins\nlogins: 5 logins\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func TestProgress_Terminal_DrawsABar(t *testing.T) {
	var out bytes.Buffer
	p := New(&out)
	p.terminal = true
	p.Begin("logins", 100)
	p.Set(50, 1234)
	p.Set(200, 5678) // late: the bar must not end before End
	p.End()
	if !strings.Contains(out.String(), "logins") {
		t.Errorf("drew %q", out.String())
	}
}

func TestProgress_Nil_ShowsNothing(t *testing.T) {
	var p *Display
	p.Name("x")
	p.Begin("x", 1)
	p.Set(1, 1)
	p.End()
}
