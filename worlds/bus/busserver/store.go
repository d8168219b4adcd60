package busserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatepass/worlds/bus/internal/retry"
)

// storeWatch restores the store of an embedded server after a disk error.
//
// After the first failed write JetStream refuses every write to that stream, and a server
// of a cluster switches JetStream off, until the server is restarted. A disk that was full
// for a second would therefore leave the region without a leader for ever. The watch
// detects such an error, waits until the disk accepts a file, and replaces the server with
// a new one on the same addresses. The new server reads the acknowledged data from disk,
// and nodes reconnect by themselves.
//
// Rejected: restarting JetStream only, which would keep the connections. NATS then replaces
// the queues of JetStream's requests while connections use them, which is a data race, and
// keeps the old subscriptions, so that every request gets one more answer after each
// restart. Also rejected: storing the table elsewhere; the lease would have to move too.
type storeWatch struct {
	// static after construction
	nats *embedded
	dir  string // the store's folder
	log  *slog.Logger
	now  func() time.Time

	// owned by the goroutine of run
	told      string // the last reason in the log why the store could not be restored
	restarted bool   // the server was restarted since the store failed

	mu    sync.Mutex
	stats StoreStats // guarded by mu
}

// StoreStats show the state of the store of an embedded server.
type StoreStats struct {
	// FailingSince is when the store was first seen to fail, zero while it works. Fault is
	// the error; it is ErrNotRecovered if a stream could not be read from disk.
	FailingSince time.Time
	Fault        error
	// Faults counts failures of the store, Restarts the restarts of the NATS server
	// because of them.
	Faults, Restarts uint64
}

// ErrNotRecovered: JetStream could not read a stream back from its files.
var ErrNotRecovered = errors.New("a stream could not be recovered from disk")

// What an operator has to do, by the kind of failure.
const (
	adviceNoWrites     = "make room on its disk; the server then recovers by itself"
	adviceNotRecovered = "stop the server, move the stream's folder out of the store and start it again: worlds then register anew"
)

// Err returns what the operator has to know and do, or nil while the store works.
func (s StoreStats) Err() error {
	if s.FailingSince.IsZero() {
		return nil
	}
	since := s.FailingSince.Format(time.RFC3339)
	if errors.Is(s.Fault, ErrNotRecovered) {
		return errors.Join(fmt.Errorf("the store could not be read back from disk, seen at %s; %s", since, adviceNotRecovered), s.Fault)
	}
	return errors.Join(fmt.Errorf("the store takes no writes since %s; %s", since, adviceNoWrites), s.Fault)
}

// run checks the store until ctx ends.
func (w *storeWatch) run(ctx context.Context) {
	for retry.Sleep(ctx, storeLook) {
		w.look(ctx)
	}
}

// look checks the store once. If it fails and its disk accepts a file, look restarts the
// server, unless ctx has ended: then the server is being closed.
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
		w.log.Warn("bus: the store could not be restored yet, trying again", "store", w.dir, "error", err)
	}
}

// note records the result of a check and logs it if it differs from the one before. It
// reports whether there is a fault.
func (w *storeWatch) note(fault error) bool {
	w.mu.Lock()
	since, before := w.stats.FailingSince, w.stats.Fault
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
	case errors.Is(fault, ErrNotRecovered) && !errors.Is(before, ErrNotRecovered):
		w.log.Error("bus: the store could not be read back from disk, so no world manager can lead; "+adviceNotRecovered, "store", w.dir, "error", fault)
	case fault != nil && since.IsZero():
		w.log.Error("bus: the store takes no writes, so no world manager can lead; "+adviceNoWrites, "store", w.dir, "error", fault)
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
	// errStoreStopping: JetStream is switching itself off and has its files open still.
	errStoreStopping = errors.New("JetStream is still switching itself off")
)

// fault returns the error because of which JetStream refuses writes, or nil. Only a failed
// write of this server is a fault: JetStream keeps the error, or has switched itself off.
// A cluster that has lost its majority is not a fault of this server's store.
//
// NATS says of a stream that it "could not be recovered" when the stream's folder exists
// and the stream does not. That is also so for a moment while a stream is being created.
// Therefore it counts only after a restart, which returns when all streams are read.
func (w *storeWatch) fault() error {
	nats := w.nats.now()
	if !nats.JetStreamEnabled() {
		return errStoreOff
	}
	for _, e := range nats.Healthz(&server.HealthzOptions{Details: true}).Errors {
		switch {
		case strings.Contains(e.Error, "write error"):
			return errors.New(e.Error)
		case w.restarted && strings.Contains(e.Error, "could not be recovered"):
			return fmt.Errorf("%w: %s", ErrNotRecovered, e.Error)
		}
	}
	return nil
}

// probeFile is in the store's folder while the disk is probed. The next start removes it
// if the process was killed meanwhile.
const probeFile = ".probe"

// probe returns the error with which the disk refuses a file of storeRoom bytes.
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

// restart replaces the server. Shutting down hands what it leads in a cluster to another
// server.
func (w *storeWatch) restart(ctx context.Context) error {
	// JetStream switches itself off in the background, also while the server shuts down.
	// A new server would open files that the old one has open still; the next check tries
	// again.
	if nats := w.nats.now(); !nats.JetStreamEnabled() && nats.JetStreamConfig() != nil {
		return errStoreStopping
	}
	w.restarted = true
	w.count()
	w.log.Warn("bus: the disk accepts files again: restarting the NATS server; nodes reconnect by themselves", "store", w.dir)
	return w.nats.restart(ctx)
}

func (w *storeWatch) count() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Restarts++
}

// Store returns the state of the store. It may be called from anywhere.
func (s *Server) Store() StoreStats {
	if s.store == nil {
		return StoreStats{}
	}
	return s.store.read()
}
