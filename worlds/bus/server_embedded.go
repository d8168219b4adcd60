package bus

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

// embedded is the NATS server that runs in this process, and can be replaced by a new
// one with the same settings and addresses.
type embedded struct {
	// static after construction
	log    *slog.Logger
	secret string // the cluster's, which no log may show

	// change is held while the server is replaced, or what it believes is changed: a
	// server that starts would miss a revocation otherwise.
	change sync.Mutex
	// options are copied for every start, as a server changes those it is given; guarded
	// by change.
	options *server.Options

	running atomic.Pointer[server.Server]
}

// now is the server that runs, nil before the first start. While it is replaced it is
// one that has ended.
func (e *embedded) now() *server.Server { return e.running.Load() }

// start starts a server and returns once nodes can connect.
func (e *embedded) start(ctx context.Context) error {
	e.change.Lock()
	defer e.change.Unlock()
	return e.launch(ctx)
}

// restart ends the server, with every connection, and starts a new one. Where that
// fails none runs, and restart may be called again.
func (e *embedded) restart(ctx context.Context) error {
	e.change.Lock()
	defer e.change.Unlock()
	end(e.now())
	return e.launch(ctx)
}

// launch expects change to be held.
func (e *embedded) launch(ctx context.Context) error {
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
		e.options.Port = addr.Port // a free port is taken once: nodes look for the next server there
	}
	e.running.Store(s)
	return nil
}

// stop ends the server; nobody may start it again.
func (e *embedded) stop() { end(e.now()) }

func end(s *server.Server) {
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// ready waits until nodes can connect. What NATS calls fatal would end a process
// of its own; here it fails the start.
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
