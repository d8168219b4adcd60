package busserver

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// What the tests of this package need to see of it.
const (
	StoreLook = storeLook
	RetryMin  = retryMin
	ProbeFile = probeFile
)

// NATS returns the current NATS server.
func (s *Server) NATS() *server.Server { return s.nats.now() }

// Buckets is closed when the buckets exist.
func (s *Server) Buckets() <-chan struct{} { return s.buckets }

// RestartNATS replaces the NATS server.
func (s *Server) RestartNATS(ctx context.Context) error { return s.nats.restart(ctx) }

// StopNATS stops the NATS server and nothing else.
func (s *Server) StopNATS() { s.nats.stop() }

// EndBackground ends the goroutines that watch the server.
func (s *Server) EndBackground() {
	s.end()
	s.background.Wait()
}

// StoreWatch is a watch of the store that checks when the test says so.
type StoreWatch struct{ watch *storeWatch }

// NewStoreWatch returns a watch of a server's store.
func NewStoreWatch(s *Server, log *slog.Logger) StoreWatch {
	return StoreWatch{&storeWatch{nats: s.nats, dir: s.store.dir, log: log, now: time.Now}}
}

// Look checks once.
func (w StoreWatch) Look(ctx context.Context) { w.watch.look(ctx) }

// Read returns the state.
func (w StoreWatch) Read() StoreStats { return w.watch.read() }

// SetupInbox is the inbox of the server's own user.
func SetupInbox() nats.Option { return setupInbox() }
