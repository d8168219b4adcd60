package busserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatepass/deadline"
)

// embedded is the NATS server in this process. It can be replaced by a new server with the
// same settings and addresses.
type embedded struct {
	// static after construction
	log    *slog.Logger
	secret string // of the cluster; the log must not show it

	// change is held while the server is replaced and while its trusted tokens change.
	// Otherwise a server that starts at that moment would miss a revocation.
	change sync.Mutex
	// options are copied for every start, because a server modifies its options; guarded
	// by change.
	options *server.Options

	running atomic.Pointer[server.Server]
}

// now returns the current server, or nil before the first start. While the server is being
// replaced it returns the one that has ended.
func (e *embedded) now() *server.Server { return e.running.Load() }

// start starts a server and returns when nodes can connect.
func (e *embedded) start(ctx context.Context) error {
	e.change.Lock()
	defer e.change.Unlock()
	return e.startLocked(ctx)
}

// restart shuts the server down, with every connection, and starts a new one. If that
// fails, no server runs, and restart may be called again.
func (e *embedded) restart(ctx context.Context) error {
	e.change.Lock()
	defer e.change.Unlock()
	end(e.now())
	return e.startLocked(ctx)
}

// startLocked starts a server; change is held.
func (e *embedded) startLocked(ctx context.Context) error {
	s, err := server.NewServer(e.options.Clone())
	if err != nil {
		return err
	}
	log := &natsLog{to: e.log, hide: e.secret, fatal: make(chan error, 1), clock: deadline.Now}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if err := ready(ctx, s, log.fatal); err != nil {
		end(s)
		return err
	}
	if addr, ok := s.Addr().(*net.TCPAddr); ok {
		e.options.Port = addr.Port // the next server listens on the same port: nodes connect there
	}
	e.running.Store(s)
	return nil
}

// stop shuts the server down. start and restart must not be called after it.
func (e *embedded) stop() { end(e.now()) }

func end(s *server.Server) {
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// ready waits until nodes can connect. An error that would end a NATS process of its own
// fails the start instead.
func ready(ctx context.Context, s *server.Server, fatal <-chan error) error {
	const look = 50 * time.Millisecond
	for waited := time.Duration(0); waited < startLimit; waited += look {
		select {
		case err := <-fatal:
			return err
		case <-ctx.Done():
			return errors.New("it was closed while it started")
		default:
		}
		if s.ReadyForConnections(look) {
			return nil
		}
	}
	return fmt.Errorf("the server did not start within %s", startLimit)
}
