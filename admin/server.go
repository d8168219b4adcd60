package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

// Listener is the server's end of the control socket.
type Listener struct {
	// static after construction
	path   string
	socket *net.UnixListener
	once   sync.Once
	// peer tells the user of a client; peerUID except in tests.
	peer func(*net.UnixConn) (uint32, error)
}

// Listen makes the socket at path (see SocketPath). Clients may connect from
// here on and are answered once Serve runs. Call it only while holding the
// store: whoever holds the store owns the socket, so a stale file of a dead
// server is replaced.
func Listen(path string) (*Listener, error) {
	socket, err := listenSocket(path)
	if err != nil {
		return nil, err
	}
	return &Listener{path: path, socket: socket, peer: peerUID}, nil
}

// Close removes the socket. Serve does it too; Close is for servers whose start
// fails before Serve. Idempotent.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		// The file goes first, so that a client that finds the file finds a listener.
		err = errors.Join(os.Remove(l.path), l.socket.Close())
	})
	return err
}

// Serve answers clients until ctx ends. Then it lets each command that has arrived
// finish, and returns when all clients are gone; what the services work on must stay
// open until then. Changes and refusals are logged.
func (l *Listener) Serve(ctx context.Context, services Services, logger *slog.Logger) error {
	h := newHandler(services, logger)
	seats := newSeats(l, logger)
	server := &http.Server{
		Handler: h, ConnContext: seats.context,
		ReadHeaderTimeout: requestWait, ReadTimeout: requestWait, WriteTimeout: replyWait, IdleTimeout: clientIdle,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	shutdown := sync.OnceFunc(func() {
		h.closing.Store(true)
		seats.hurry()
		_ = server.Shutdown(context.Background()) // it waits for the commands under way
	})
	stop := context.AfterFunc(ctx, shutdown)
	defer stop()
	err := server.Serve(seats)
	shutdown() // or wait until it is done
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// handler serves POST /v1/NAME for every command of the table, and GET /v1/, by which a
// client finds out whether the server understands it.
type handler struct {
	// static after construction
	services Services
	logger   *slog.Logger
	table    *table
	may      Permissions
	// closing tells that the server shuts down.
	closing atomic.Bool
}

func newHandler(services Services, logger *slog.Logger) *handler {
	return &handler{services: services, logger: logger, table: newTable(), may: AllowAll()}
}

// pathPrefix is where commands are. The number is the version of requests and results;
// it changes when an old side would misunderstand a new one.
const pathPrefix = "/v1/"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{handler: h, w: w, logger: h.logger}
	if peer, ok := r.Context().Value(peerKey{}).(*peerConn); ok {
		c.logger = h.logger.With("uid", peer.uid)
		if peer.seatless {
			c.fail(ErrServerBusy)
			return
		}
	}
	if h.closing.Load() {
		c.fail(ErrServerClosing)
		return
	}
	name, here := strings.CutPrefix(r.URL.Path, pathPrefix)
	if here && name == "" && r.Method == http.MethodGet {
		c.begin()
		return
	}
	command := h.table.byName[name]
	if !here || command == nil || r.Method != http.MethodPost {
		c.logger.Warn("account control: there is no such command", "method", r.Method, "path", r.URL.Path)
		c.fail(ErrProtocol)
		return
	}
	c.carryOut(r, command)
}
