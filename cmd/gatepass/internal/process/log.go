package process

import (
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog/diode"

	"gatepass/cmd/gatepass/internal/config"
)

// logLines is how many lines may wait for the writer. If there are more, the oldest are
// dropped.
const logLines = 4096

// logCloseLimit is how long a stop waits for a log that nobody reads.
const logCloseLimit = time.Second

// Log is a logger whose callers never wait: lines go through a ring buffer. If the
// reader of the log is slower, the oldest lines are dropped and counted.
type Log struct {
	*slog.Logger
	limiter *logLimiter
	ring    diode.Writer
	dropped atomic.Uint64
}

func newLog(c *config.Config, out io.Writer) (*Log, error) {
	level, err := c.LogLevel()
	if err != nil {
		return nil, err
	}
	l := new(Log)
	// Without the struct around it, the ring would close out, which belongs to main.
	l.ring = diode.NewWriter(struct{ io.Writer }{out}, logLines, 0, func(missed int) { l.dropped.Add(uint64(missed)) })
	var lines slog.Handler = slog.NewTextHandler(l.ring, &slog.HandlerOptions{Level: level, ReplaceAttr: searchable})
	if c.Log.Format == config.FormatJSON {
		lines = jsonLines(l.ring, level)
	}
	l.limiter = newLogLimiter(lines)
	l.Logger = slog.New(l.limiter)
	return l, nil
}

// jsonLines returns a handler that writes one JSON object a line.
func jsonLines(out io.Writer, level slog.Level) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: searchable})
}

// searchable turns a value into what an operator would search for: names as text, results
// and kinds as words, durations with their unit. encoding/json would write the bytes of a
// name as numbers, enumerations as their numbers and durations as nanoseconds.
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

// close writes the remaining lines. It gives up after logCloseLimit if nobody reads them.
func (l *Log) close() {
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
