package pebble

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

// Defaults of Options.
const (
	DefaultQueueLimit  = 64 << 10
	DefaultReadWorkers = 2
	DefaultFlushEvery  = time.Second
	DefaultCacheBytes  = 64 << 20
)

// Options say how a store is opened. Dir is the only field without a default.
type Options struct {
	// Dir is the store's folder, created with mode 0700 if missing.
	Dir string
	// FS is where Dir is; nil for the disk.
	FS vfs.FS
	// ReadOnly opens an existing store and changes nothing in its folder, which may be
	// on a full or read-only disk. Requests that change something get ErrReadOnly. Do
	// not use it in a process that has the same store open for writing.
	ReadOnly bool
	// QueueLimit bounds the reads taken and not yet answered, and likewise the writes.
	// Submit takes no more.
	QueueLimit int
	// ReadWorkers is how many goroutines answer reads.
	ReadWorkers int
	// FlushEvery bounds the time until a note (OpLogin, OpCharacters, …) is fsynced if
	// no other write causes an fsync.
	FlushEvery time.Duration
	// CacheBytes bounds the cache of table blocks. Writes that are not yet in tables use
	// more memory: up to 16 MiB a memtable, normally one or two.
	CacheBytes int64
	// Deliver receives the results; see storage.OpenOptions.
	Deliver func([]storage.Result)
	// Logger receives what Pebble reports; nil drops it. It must not block: Pebble holds
	// locks during some calls.
	Logger *slog.Logger
	// Random is read once, when the store is created; nil for crypto/rand.
	Random io.Reader
	// memTableBytes is how much is written before it becomes a table. Only tests set it,
	// to get tables from little data.
	memTableBytes uint64
	// RetryEvery is how often a Steady tests whether the disk takes writes again.
	RetryEvery time.Duration
	// OnFatal is called once, on a goroutine of the store, when a write has failed and no
	// further writes are taken. It must not call Close.
	OnFatal func(error)
}

// EnsureDefaults replaces zero fields by their defaults.
func (o *Options) EnsureDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.QueueLimit == 0 {
		o.QueueLimit = DefaultQueueLimit
	}
	if o.ReadWorkers == 0 {
		o.ReadWorkers = DefaultReadWorkers
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = DefaultFlushEvery
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.memTableBytes == 0 {
		o.memTableBytes = memTableBytes
	}
	if o.RetryEvery == 0 {
		o.RetryEvery = DefaultRetryEvery
	}
	o.ensureNeighbours()
}

func (o *Options) ensureNeighbours() {
	if o.Deliver == nil {
		o.Deliver = func([]storage.Result) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.OnFatal == nil {
		o.OnFatal = func(error) {}
	}
}

// Validate returns all faults at once. Zero fields are faults; call EnsureDefaults first.
func (o *Options) Validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("storage: "+format, args...))
		}
	}
	fault(o.Dir == "", "no folder given")
	fault(o.FS == nil, "no file system given")
	fault(o.QueueLimit < 1, "queue limit %d is below 1", o.QueueLimit)
	fault(o.ReadWorkers < 1 || o.ReadWorkers > 256, "%d read workers, want 1 to 256", o.ReadWorkers)
	fault(o.FlushEvery < time.Millisecond, "flush interval %v is below 1ms", o.FlushEvery)
	fault(o.CacheBytes < 1<<20, "cache of %d bytes is below 1 MiB", o.CacheBytes)
	return errors.Join(faults...)
}
