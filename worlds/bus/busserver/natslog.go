package busserver

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// natsLog is the logger of the NATS server. Notices of NATS become debug lines; warnings
// and errors keep their level. Traces are never written: they show payloads and the
// credentials of nodes.
type natsLog struct {
	to *slog.Logger
	// hide is the cluster's secret, which is part of the addresses of routes.
	hide string
	// fatal takes the first error that NATS calls fatal.
	fatal chan error
	// clock is deadline.Now.
	clock func() time.Duration

	mu   sync.Mutex
	said map[string]*repeated // guarded by mu; by the text of a line without its digits
}

// repeated counts the lines of one kind.
type repeated struct {
	at      time.Duration // when the last one was written
	skipped int           // how many were skipped since then
}

// Of the lines of one kind only one is written in natsLogEvery: NATS writes a line for each
// connection that it refuses, so unauthenticated clients could fill the log. natsLogKinds
// bounds the number of kinds; all further kinds count as one.
const (
	natsLogEvery = 10 * time.Second
	natsLogKinds = 256
)

func (l *natsLog) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l *natsLog) Warnf(format string, v ...any)   { l.write(slog.LevelWarn, format, v) }
func (l *natsLog) Errorf(format string, v ...any)  { l.write(slog.LevelError, format, v) }
func (l *natsLog) Debugf(format string, v ...any)  {}
func (l *natsLog) Tracef(format string, v ...any)  {}

// Fatalf passes the error to the caller that starts the server. It does not exit the
// process.
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

// due reports whether a line is to be written now, and how many lines of its kind were
// skipped before.
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
