package main

import (
	"context"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of warnings and errors in the log, each with its reason. What a stranger can
// bring about must not fill a disk, nor hide the line that matters.
const (
	// logEvery is how often at most a cause has a line. The one at the end of that time
	// says how many there were.
	logEvery = 10 * time.Second
	// logCauses is how many causes are told apart at once; the others share one line.
	// Each takes some hundred bytes.
	logCauses = 256
	// logSame is how many causes of one message have lines of their own at once: bad
	// patches are named one by one, accounts that cannot be read are not.
	logSame = 16
)

// logAlways is the key of an attribute of lines that are never left out: each is of use
// by itself, and none can be brought about at will.
const logAlways = "audit"

// whoKeys are attributes that say who it was. Strangers choose them, so that they do not
// tell causes apart.
var whoKeys = map[string]bool{
	"account": true, "conn": true, "peer": true, "uid": true, "stack": true, "offset": true, "remote": true,
}

// logLimiter is a slog.Handler that passes each cause of a warning or an error on once,
// and then once every logEvery with a count of what was left out. Lines below a warning
// pass. A cause is a message with its attributes, but for numbers and whoKeys.
type logLimiter struct {
	to     slog.Handler
	shared *logCounts
	with   string // of the attributes that all its lines have
}

// logCounts is what the handlers of one log share.
type logCounts struct {
	left atomic.Uint64 // lines left out
	seed maphash.Seed

	mu     sync.Mutex
	causes map[uint64]*logCause
	same   map[uint64]int // causes of a message
	closed bool
}

// logCause is a cause that had a line lately.
type logCause struct {
	message uint64
	left    int // lines left out since
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

// pass tells whether a line may pass; one that may not is counted for its cause.
func (c *logCounts) pass(to slog.Handler, r slog.Record, message, cause string) bool {
	m, key := maphash.String(c.seed, message), maphash.String(c.seed, cause)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.causes[key] == nil && c.same[m] >= logSame {
		key = m // the causes of this message that are one too many
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

// over ends the time of a cause: if lines were left out, the last of them is written with
// their number, and the time begins anew.
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

// takeLocked returns what writes the line of those that were left out.
func (k *logCause) takeLocked() func() {
	if k.left == 0 {
		return func() {}
	}
	r, to := k.last, k.to
	r.AddAttrs(slog.Int("repeated", k.left))
	k.left, k.last = 0, slog.Record{}
	return func() { _ = to.Handle(context.Background(), r) }
}

// close writes what was left out. Later lines pass.
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

// causeOf is what an attribute adds to a cause.
func causeOf(a slog.Attr) string {
	if whoKeys[a.Key] {
		return ""
	}
	return "\x00" + a.Key + "=" + plain(a.Value.Resolve().String())
}

// plain is a text without its numbers and addresses.
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
