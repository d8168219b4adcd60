package pebble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLogger logs what Pebble reports: file names and sizes, never values.
type pebbleLogger struct {
	log      *slog.Logger
	failStop *failStop
}

// Infof logs at debug level, since Pebble reports each table and log. It formats nothing
// unless that level is on.
func (l pebbleLogger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pebble: " + fmt.Sprintf(format, args...))
	}
}

// Errorf logs a warning: errors that stop the store are reported by the failStop.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Warn("pebble: " + firstLine(fmt.Sprintf(format, args...)))
}

// Fatalf stops all changes of the disk. Pebble calls it in a state that should be
// impossible. It may return, since nothing that Pebble does afterwards reaches the disk.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := errors.New("pebble: " + firstLine(fmt.Sprintf(format, args...)))
	l.failStop.fail(err)
	l.log.Error(err.Error())
}

// firstLine returns an error's text without the stack traces, of several kilobytes, and
// type names that Pebble appends.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// listener handles the two events for which Pebble's default is Fatalf or nothing.
func (l pebbleLogger) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { l.Errorf("background: %v", err) },
		DataCorruption:  func(info pebble.DataCorruptionInfo) { l.Errorf("corruption: %v", info) },
	}
}
