package bus

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
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
}

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
	if l.to.Enabled(context.Background(), level) {
		l.to.Log(context.Background(), level, "nats: "+strings.TrimSpace(l.text(format, v)))
	}
}

func (l *natsLog) text(format string, v []any) string {
	return strings.ReplaceAll(fmt.Sprintf(format, v...), l.hide, "[secret]")
}
