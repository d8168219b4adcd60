package pebble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLogger passes on what Pebble says. Records that Pebble logs hold file
// names and sizes, never values.
type pebbleLogger struct {
	log  *slog.Logger
	fuse *fuse
}

// Infof is chatty (each table, each log), so it goes to debug and is not even
// formatted unless that is on.
func (l pebbleLogger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pebble: " + fmt.Sprintf(format, args...))
	}
}

// Errorf is a warning: what stops the store comes by the fuse.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Warn("pebble: " + firstLine(fmt.Sprintf(format, args...)))
}

// Fatalf is called where Pebble finds itself in a state it cannot be in. It must
// not exit, since this is a library, and may return, since after the fuse has
// blown nothing that Pebble goes on to do reaches the disk.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := errors.New("pebble: " + firstLine(fmt.Sprintf(format, args...)))
	l.fuse.blow(err)
	l.log.Error(err.Error())
}

// firstLine leaves out what Pebble puts behind an error's text: stack traces of several
// kilobytes, and names of its own types.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// listener takes the two events whose defaults would be Fatalf or silence.
func (l pebbleLogger) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { l.Errorf("background: %v", err) },
		DataCorruption:  func(info pebble.DataCorruptionInfo) { l.Errorf("corruption: %v", info) },
	}
}
