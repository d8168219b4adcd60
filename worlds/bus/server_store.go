package bus

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// storeWatch keeps the store of an embedded server working.
//
// JetStream remembers the first error of a write and then refuses every write to
// that stream, and a server of a cluster switches JetStream off, until the server
// is started again. So a disk that was full for a second would leave the region
// without a leader for ever. The watch sees such an error, waits until the disk
// takes a file again, and replaces the server by a new one on the same addresses: it
// reads back from disk what was acknowledged, and nodes connect again by themselves.
//
// JetStream alone could be started anew, and connections would stay. But NATS replaces
// the queues of JetStream's requests then while connections use them, which is a data
// race, and leaves the old subscriptions: every request would be answered once more
// after each restart. A table that is kept elsewhere would need a lease that is kept
// elsewhere.
type storeWatch struct {
	// static after construction
	nats *embedded
	dir  string // the store's folder
	log  *slog.Logger
	now  func() time.Time

	// owned by the goroutine of run
	told      string // the reason why it could not be mended that the log has
	restarted bool   // since the store was seen to fail

	mu    sync.Mutex
	stats StoreStats // guarded by mu
}

// StoreStats tell how the store of an embedded server is.
type StoreStats struct {
	// FailingSince is when the store was seen to take no more writes, zero while it
	// takes them. Fault says why.
	FailingSince time.Time
	Fault        error
	// Faults counts how often that has happened, Restarts how often the NATS server was
	// replaced because of it.
	Faults, Restarts uint64
}

// run looks until ctx ends.
func (w *storeWatch) run(ctx context.Context) {
	for sleep(ctx, storeLook) {
		w.look(ctx)
	}
}

// look checks the store once, and mends it if there is room. It restarts nothing once
// ctx has ended: the server is closed then.
func (w *storeWatch) look(ctx context.Context) {
	fault := w.fault()
	if !w.note(fault) {
		return
	}
	err := w.probe()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = w.restart(ctx)
	}
	if err == nil {
		err = w.fault()
	}
	if err == nil {
		w.note(nil)
		w.restarted = false
		return
	}
	if err.Error() != w.told {
		w.told = err.Error()
		w.log.Warn("bus: the store cannot be mended yet, trying on", "store", w.dir, "error", err)
	}
}

// note keeps what was seen, and logs the changes. It tells whether there is a fault.
func (w *storeWatch) note(fault error) bool {
	w.mu.Lock()
	since := w.stats.FailingSince
	w.stats.Fault = fault
	switch {
	case fault == nil:
		w.stats.FailingSince = time.Time{}
	case since.IsZero():
		w.stats.FailingSince = w.now()
		w.stats.Faults++
	}
	w.mu.Unlock()
	switch {
	case fault == nil && !since.IsZero():
		w.told = ""
		w.log.Info("bus: the store takes writes again", "store", w.dir, "after", w.now().Sub(since).Round(time.Millisecond))
	case fault != nil && since.IsZero():
		w.log.Error("bus: the store takes no writes, so no world manager can lead; make room on its disk, the rest happens by itself",
			"store", w.dir, "error", fault)
	}
	return fault != nil
}

func (w *storeWatch) read() StoreStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

var (
	// errStoreOff: JetStream has switched itself off.
	errStoreOff = errors.New("JetStream is off")
	// errStoreStopping: its files are still open.
	errStoreStopping = errors.New("JetStream is still switching itself off")
)

// fault is why JetStream takes no more writes, or nil. Only a write that has failed is
// a fault: JetStream remembers it, or has switched itself off because of it. What a
// cluster lacks while others of its servers are away is no fault of this server's store.
//
// A stream that "could not be recovered" is one whose folder is there and that JetStream
// does not have. While a stream is being made that is so for a moment, so it only counts
// after a restart, which has read all of them before it returns.
func (w *storeWatch) fault() error {
	nats := w.nats.now()
	if !nats.JetStreamEnabled() {
		return errStoreOff
	}
	for _, e := range nats.Healthz(&server.HealthzOptions{Details: true}).Errors {
		if strings.Contains(e.Error, "write error") || w.restarted && strings.Contains(e.Error, "could not be recovered") {
			return errors.New(e.Error)
		}
	}
	return nil
}

// probeFile is in the store's folder while the disk is probed. A process that was killed
// meanwhile leaves it, and the next start removes it.
const probeFile = ".probe"

// probe tells why the disk does not take a file.
func (w *storeWatch) probe() (err error) {
	f, err := os.OpenFile(filepath.Join(w.dir, probeFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, storeRoom))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// restart replaces the server. In a cluster it may have led something, which another
// server takes over first.
func (w *storeWatch) restart(ctx context.Context) error {
	// JetStream that switches itself off does it in the background, also while the server
	// ends: two would have its files open. The next look comes soon.
	if nats := w.nats.now(); !nats.JetStreamEnabled() && nats.JetStreamConfig() != nil {
		return errStoreStopping
	}
	w.restarted = true
	w.count()
	w.log.Warn("bus: the disk takes files again, the NATS server is started anew; nodes connect again by themselves", "store", w.dir)
	return w.nats.restart(ctx)
}

func (w *storeWatch) count() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Restarts++
}

// Store tells how the store is; anywhere.
func (s *Server) Store() StoreStats {
	if s.store == nil {
		return StoreStats{}
	}
	return s.store.read()
}
