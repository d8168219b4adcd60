package main

import (
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"reflect"
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
	limiter *logLimiter
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
	var lines slog.Handler = slog.NewTextHandler(l.ring, &slog.HandlerOptions{Level: level, ReplaceAttr: searchable})
	if c.Log.Format == formatJSON {
		lines = jsonLines(l.ring, level)
	}
	l.limiter = newLogLimiter(lines)
	l.Logger = slog.New(l.limiter)
	return l, nil
}

// formatJSON is the log.format of objects, one a line.
const formatJSON = "json"

// jsonLines writes a log as objects.
func jsonLines(out io.Writer, level slog.Level) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: searchable})
}

// searchable makes a value what an operator would search for: names as text, results and
// kinds as words, spans of time with their unit. encoding/json by itself would write the
// bytes of a name as numbers, words as the numbers they stand for and spans as
// nanoseconds.
func searchable(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindDuration:
		a.Value = slog.StringValue(a.Value.Duration().String())
	case slog.KindAny:
		a.Value = slog.AnyValue(wordOf(a.Value.Any()))
	}
	return a
}

// wordOf is searchable for a value of any type.
func wordOf(value any) any {
	v := reflect.ValueOf(value)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	switch value := value.(type) {
	case error:
		return value.Error()
	case fmt.Stringer:
		return value.String()
	case encoding.TextMarshaler:
		return value // the handlers write its text
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return wordOf(v.Elem().Interface())
	case reflect.Slice, reflect.Array:
		return wordsOf(v)
	case reflect.Map, reflect.Struct, reflect.Func, reflect.Chan:
		return fmt.Sprintf("%+v", value)
	}
	return value
}

// wordsOf is searchable for the elements of a slice or array; bytes are in hex.
func wordsOf(v reflect.Value) any {
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Type().Elem().NumMethod() == 0 {
		return fmt.Sprintf("%x", v.Interface())
	}
	words := make([]any, v.Len())
	for i := range words {
		words[i] = wordOf(v.Index(i).Interface())
	}
	return words
}

// close writes what is left, unless the reader has stopped reading.
func (l *asyncLog) close() {
	l.limiter.close()
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
