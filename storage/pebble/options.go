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
	// Dir is the store's folder, made with mode 0700 if it is not there.
	Dir string
	// FS is where Dir is; nil for the disk.
	FS vfs.FS
	// ReadOnly opens a store that is there already and changes nothing in its
	// folder, which may lie on a disk that is full or cannot be written. Requests
	// that would change something get ErrReadOnly. Do not use it in a process that
	// has the same store open for writing.
	ReadOnly bool
	// QueueLimit bounds the requests taken and not yet answered, once for reads
	// and once for writes. Submit refuses what would exceed it.
	QueueLimit int
	// ReadWorkers is how many goroutines answer reads.
	ReadWorkers int
	// FlushEvery is how long a note (OpLogin, OpCharacters, …) may stay without an
	// fsync when no other write brings one.
	FlushEvery time.Duration
	// CacheBytes bounds the cache of table blocks. Memory for writes not yet in
	// tables comes on top: up to 16 MiB a memtable, normally one or two.
	CacheBytes int64
	// Deliver gets the results, in batches, on goroutines of the store and from
	// several of them at once. The slice is only lent: it may be changed, and is
	// the store's again when Deliver returns. Deliver must not block for long
	// and must not call Close. Nil drops all results.
	Deliver func([]storage.Result)
	// Logger gets Pebble's news; nil drops them. It must not block: some lines
	// are written with Pebble's locks held.
	Logger *slog.Logger
	// Random is read once, when the store is created; nil for crypto/rand.
	Random io.Reader
	// memTableBytes is how much is written before a table is made of it; only
	// tests set it, to see tables without much data.
	memTableBytes uint64
	// RetryEvery is how often a Steady looks whether the disk takes writes again.
	RetryEvery time.Duration
	// OnFatal is told once, on a goroutine of the store, that the disk refused
	// and no write will be taken any more. It must not call Close itself.
	OnFatal func(error)
}

// EnsureDefaults fills what was left zero.
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

// Validate reports every fault at once. Zero fields are faults here; call
// EnsureDefaults before.
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
