package bus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// natsLog takes the NATS server's log. What NATS notices is for those who debug
// it, the rest keeps its level. Traces, which show payloads and what nodes prove
// themselves with, are never asked for and never written.
type natsLog struct {
	to *slog.Logger
	// hide is the cluster's secret, which is part of the routes' addresses.
	hide string
	// fatal takes the first reason why the server cannot run.
	fatal chan error
	// clock goes on while the machine sleeps, and is not set.
	clock func() time.Duration

	mu   sync.Mutex
	said map[string]*repeated // guarded by mu; by what a line says without its numbers
}

// repeated is a line that NATS says again and again.
type repeated struct {
	at      time.Duration // when it was last written
	skipped int           // how often it was not, since then
}

// Every line of one kind is written once in natsLogEvery: NATS writes one for each
// connection that it refuses, so that strangers could fill the log. natsLogKinds bounds
// the kinds that are told apart; what is beyond counts as one.
const (
	natsLogEvery = 10 * time.Second
	natsLogKinds = 256
)

func (l *natsLog) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l *natsLog) Warnf(format string, v ...any)   { l.write(slog.LevelWarn, format, v) }
func (l *natsLog) Errorf(format string, v ...any)  { l.write(slog.LevelError, format, v) }
func (l *natsLog) Debugf(format string, v ...any)  {}
func (l *natsLog) Tracef(format string, v ...any)  {}

// Fatalf keeps the reason for whoever starts the server; this process goes on.
func (l *natsLog) Fatalf(format string, v ...any) {
	text := l.text(format, v)
	select {
	case l.fatal <- fmt.Errorf("nats: %s", text):
	default:
	}
	l.to.Error("nats: " + text)
}

func (l *natsLog) write(level slog.Level, format string, v []any) {
	if !l.to.Enabled(context.Background(), level) {
		return
	}
	text := strings.TrimSpace(l.text(format, v))
	if level < slog.LevelWarn {
		l.to.Log(context.Background(), level, "nats: "+text)
		return
	}
	switch skipped, due := l.due(text); {
	case due && skipped > 0:
		l.to.Log(context.Background(), level, "nats: "+text, "skipped", skipped)
	case due:
		l.to.Log(context.Background(), level, "nats: "+text)
	}
}

// due tells whether a line is to be written now, and how many like it were not.
func (l *natsLog) due(text string) (skipped int, due bool) {
	kind := strings.Map(func(c rune) rune {
		if '0' <= c && c <= '9' {
			return -1
		}
		return c
	}, text)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.said == nil {
		l.said = make(map[string]*repeated)
	}
	if l.said[kind] == nil && len(l.said) >= natsLogKinds {
		kind = ""
	}
	r, now := l.said[kind], l.clock()
	switch {
	case r == nil:
		l.said[kind] = &repeated{at: now}
		return 0, true
	case now-r.at < natsLogEvery:
		r.skipped++
		return 0, false
	}
	skipped, r.skipped, r.at = r.skipped, 0, now
	return skipped, true
}

func (l *natsLog) text(format string, v []any) string {
	return strings.ReplaceAll(fmt.Sprintf(format, v...), l.hide, "[secret]")
}
