package process

import (
	"context"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of warnings and errors in the log. Lines that a stranger can cause must not
// fill a disk, nor hide the line that matters.
const (
	// logEvery is how often at most a cause is logged. The line at the end of that time
	// has the number of lines that were left out.
	logEvery = 10 * time.Second
	// logCauses is how many causes are distinguished at once; all others count as one.
	// Each takes some hundred bytes.
	logCauses = 256
	// logSame is how many causes with the same message are distinguished at once. It is
	// enough to name each bad patch; thousands of accounts that cannot be read share a
	// line.
	logSame = 16
)

// logAlways is the key of an attribute of lines that are never left out: each is useful by
// itself, and no stranger can cause many.
const logAlways = "audit"

// whoKeys are attributes that name a client. Strangers choose their values, so they are
// no part of a cause.
var whoKeys = map[string]bool{
	"account": true, "conn": true, "peer": true, "uid": true, "stack": true, "offset": true, "remote": true,
}

// logLimiter is a slog.Handler that passes each cause of a warning or an error on once.
// After that it passes one line every logEvery, with the number of lines that were left
// out. Lines below a warning pass always. A cause is a message with its attributes,
// without numbers and whoKeys.
type logLimiter struct {
	to     slog.Handler
	shared *logCounts
	with   string // part of the cause: the attributes that all its lines have
}

// logCounts is shared by the handlers of one log.
type logCounts struct {
	left atomic.Uint64 // lines left out
	seed maphash.Seed

	mu     sync.Mutex
	causes map[uint64]*logCause
	same   map[uint64]int // number of causes, by message
	closed bool
}

// logCause is a cause that was logged within the last logEvery.
type logCause struct {
	message uint64
	left    int // lines left out since then
	last    slog.Record
	to      slog.Handler
	timer   *time.Timer
}

func newLogLimiter(to slog.Handler) *logLimiter {
	return &logLimiter{to: to, shared: &logCounts{
		seed: maphash.MakeSeed(), causes: make(map[uint64]*logCause), same: make(map[uint64]int),
	}}
}

// Enabled implements slog.Handler.
func (l *logLimiter) Enabled(ctx context.Context, level slog.Level) bool {
	return l.to.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (l *logLimiter) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := l.with
	for _, a := range attrs {
		with += causeOf(a)
	}
	return &logLimiter{to: l.to.WithAttrs(attrs), shared: l.shared, with: with}
}

// WithGroup implements slog.Handler.
func (l *logLimiter) WithGroup(name string) slog.Handler {
	return &logLimiter{to: l.to.WithGroup(name), shared: l.shared, with: l.with + name}
}

// Handle implements slog.Handler.
func (l *logLimiter) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return l.to.Handle(ctx, r)
	}
	message := l.with + r.Level.String() + plain(r.Message)
	cause, always := message, false
	r.Attrs(func(a slog.Attr) bool {
		always = always || a.Key == logAlways
		cause += causeOf(a)
		return true
	})
	if always || l.shared.pass(l.to, r, message, cause) {
		return l.to.Handle(ctx, r)
	}
	return nil
}

// pass reports whether a line may pass. It counts a line that may not.
func (c *logCounts) pass(to slog.Handler, r slog.Record, message, cause string) bool {
	m, key := maphash.String(c.seed, message), maphash.String(c.seed, cause)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.causes[key] == nil && c.same[m] >= logSame {
		key = m // all further causes of this message count as one
	}
	if c.causes[key] == nil && len(c.causes) >= logCauses {
		key, m = 0, 0
	}
	if known := c.causes[key]; known != nil {
		known.left++
		known.last, known.to = r.Clone(), to
		c.left.Add(1)
		return false
	}
	if c.closed {
		return true
	}
	c.same[m]++
	c.causes[key] = &logCause{message: m, timer: time.AfterFunc(logEvery, func() { c.over(key) })}
	return true
}

// over ends the logEvery of a cause. If lines were left out, it writes the last of them
// with their number and begins another logEvery; else it forgets the cause.
func (c *logCounts) over(key uint64) {
	c.mu.Lock()
	k := c.causes[key]
	if k == nil || c.closed {
		c.mu.Unlock()
		return
	}
	again := k.left > 0
	if again {
		k.timer.Reset(logEvery)
	} else {
		c.forgetLocked(key, k)
	}
	write := k.takeLocked()
	c.mu.Unlock()
	write()
}

func (c *logCounts) forgetLocked(key uint64, k *logCause) {
	delete(c.causes, key)
	if c.same[k.message]--; c.same[k.message] == 0 {
		delete(c.same, k.message)
	}
}

// takeLocked returns a function that writes the line for those that were left out, if
// there are any.
func (k *logCause) takeLocked() func() {
	if k.left == 0 {
		return func() {}
	}
	r, to := k.last, k.to
	r.AddAttrs(slog.Int("repeated", k.left))
	k.left, k.last = 0, slog.Record{}
	return func() { _ = to.Handle(context.Background(), r) }
}

// close writes a line for each cause of which lines were left out. Later lines pass.
func (l *logLimiter) close() {
	c := l.shared
	c.mu.Lock()
	c.closed = true
	var writes []func()
	for key, k := range c.causes {
		k.timer.Stop()
		writes = append(writes, k.takeLocked())
		c.forgetLocked(key, k)
	}
	c.mu.Unlock()
	for _, write := range writes {
		write()
	}
}

// causeOf returns what an attribute adds to a cause.
func causeOf(a slog.Attr) string {
	if whoKeys[a.Key] {
		return ""
	}
	return "\x00" + a.Key + "=" + plain(a.Value.Resolve().String())
}

// plain returns a text without its numbers and addresses.
func plain(text string) string {
	if !strings.ContainsAny(text, "0123456789") {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' || r == ':' {
			return -1
		}
		return r
	}, text)
}
