package main

import (
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog/diode"
)

// logLines is how many lines may wait for the writer before the oldest are
// dropped.
const logLines = 4096

// logCloseLimit bounds how long a stop waits for a log that nobody reads.
const logCloseLimit = time.Second

// asyncLog is a logger whose writers never wait: lines go through a ring, and
// when whoever reads them is slower, the oldest are dropped and counted.
type asyncLog struct {
	*slog.Logger
	ring    diode.Writer
	dropped atomic.Uint64
}

func newLog(c *config, out io.Writer) (*asyncLog, error) {
	level, err := c.logLevel()
	if err != nil {
		return nil, err
	}
	l := new(asyncLog)
	// The ring would close out too; only main may do that.
	l.ring = diode.NewWriter(struct{ io.Writer }{out}, logLines, 0, func(missed int) { l.dropped.Add(uint64(missed)) })
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		l.Logger = slog.New(slog.NewJSONHandler(l.ring, options))
	} else {
		l.Logger = slog.New(slog.NewTextHandler(l.ring, options))
	}
	return l, nil
}

// close writes what is left, unless the reader has stopped reading.
func (l *asyncLog) close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.ring.Close() // there is nothing behind the ring to close
	}()
	select {
	case <-done:
	case <-time.After(logCloseLimit):
	}
}
