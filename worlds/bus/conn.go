package bus

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// Options say where the bus is and which node connects.
type Options struct {
	// URL is nats://host:port or tls://host:port, or several of them with commas
	// between. Off loopback an unencrypted connection is refused, whatever the scheme.
	URL string
	// Server is an embedded server in the same process, used instead of URL: a
	// busserver.Server. The connection takes no socket, but has to authenticate.
	Server nats.InProcessConnProvider
	// Creds is the file with the node's credentials, which also name the node.
	Creds string
	// CA is the file with the certificate that signs the server's certificate. If it is
	// empty, the system's certificates are used. If it is set, the connection must be
	// encrypted on loopback too.
	CA string
	// Demand makes Connect fail if no server answers. Without it Connect succeeds and
	// keeps trying: a login server starts without its bus, and shows an empty list
	// until the bus is there.
	Demand bool
	// LeaderSilence is how long no world manager may be heard to lead before Leaderless
	// reports it; 0 is 6 s.
	LeaderSilence time.Duration
	// Logger takes messages for operators; nil discards them.
	Logger *slog.Logger
	// Clock measures silences; nil is deadline.Now. Random draws the incarnation of the
	// process; nil is the system's random source.
	Clock  func() time.Duration
	Random io.Reader
}

func (o *Options) ensureDefaults() {
	if o.LeaderSilence == 0 {
		o.LeaderSilence = leaderSilence
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = deadline.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
}

// Errors of Connect.
var (
	// ErrNobodyThere: no server answers at the URL, or the server has no free connection.
	ErrNobodyThere = errors.New("no server answers")
	// ErrRefused: the server does not accept the credentials.
	ErrRefused = errors.New("the bus refuses the credentials")
	// ErrNoTLS: the server is off loopback and does not encrypt, or its certificate is
	// not trusted.
	ErrNoTLS = errors.New("no trusted encryption")
)

// Conn is one node's connection to the bus. It reconnects by itself. Its methods may be
// called from anywhere.
type Conn struct {
	// static after Connect
	self   worlds.Node
	nats   *nats.Conn
	log    *slog.Logger
	clock  func() time.Duration
	where  string
	count  counters
	closed chan struct{} // closed when the NATS client has closed
	away   retry.Report  // owned by the NATS client's goroutine
	// incarnation identifies the process in login beats; it is not 0.
	incarnation uint64
	leader      leaderWatch
	fence       fence

	life       context.Context // ended by Close
	end        context.CancelFunc
	background sync.WaitGroup // registrars and beats

	mu    sync.Mutex
	nodes []*Node // guarded by mu
	shut  bool    // guarded by mu
}

// Connect connects the node that the credentials name. ctx bounds the first attempt only.
// Wrong settings, refused credentials and missing encryption are errors that name the
// setting. Whether a bus that does not answer is an error depends on Options.Demand.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	o.ensureDefaults()
	var incarnation [8]byte
	if _, err := io.ReadFull(o.Random, incarnation[:]); err != nil {
		return nil, fmt.Errorf("bus: random: %w", err)
	}
	self, err := credentials.NodeOf(o.Creds)
	if err != nil {
		return nil, fmt.Errorf("bus: creds %s: %w", o.Creds, err)
	}
	c := &Conn{self: self, clock: o.Clock, log: o.Logger.With("node", string(self)), closed: make(chan struct{}), where: o.URL}
	c.leader.silence = o.LeaderSilence
	c.incarnation = max(1, binary.BigEndian.Uint64(incarnation[:]))
	if o.Server != nil {
		c.where = "the embedded bus"
	}
	c.life, c.end = context.WithCancel(context.Background())
	settings, err := c.settings(o)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	c.nats, err = dial(ctx, settings, o.URL)
	if err = c.explain(err, o); err != nil && (o.Demand || !errors.Is(err, ErrNobodyThere)) {
		return nil, err
	}
	if err != nil {
		c.log.Warn("bus: not reachable yet, trying again", "bus", c.where, "error", err)
		later := nats.ConnectHandler(func(*nats.Conn) { c.up("connected") })
		c.nats, err = dial(context.Background(), append(settings, nats.RetryOnFailedConnect(true), later), o.URL)
		return c, err
	}
	c.up("connected")
	return c, nil
}

// dial connects once, within ctx. The connection stays when ctx ends.
func dial(ctx context.Context, settings []nats.Option, url string) (*nats.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	timeout := dialTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	return nats.Connect(url, append(settings, nats.Timeout(timeout))...)
}

// Times of the connection.
const (
	// dialTimeout bounds one attempt to connect.
	dialTimeout = 3 * time.Second
	// reconnectMin and reconnectMax bound the pause between attempts.
	reconnectMin = 100 * time.Millisecond
	reconnectMax = 5 * time.Second
	// pingInterval is the time between two pings on a silent connection. After two
	// missed answers the connection is closed.
	pingInterval = 5 * time.Second
	// writeTimeout is how long a write may be blocked before the connection is closed.
	writeTimeout = 5 * time.Second
	// closeTimeout bounds how long Close waits until accepted messages are sent.
	closeTimeout = 2 * time.Second
)

// settings returns the settings of the NATS client. Publishing while the connection is
// lost fails, so that the message is counted as dropped and not sent late.
func (c *Conn) settings(o Options) ([]nats.Option, error) {
	all := []nats.Option{
		nats.Name(string(c.self)),
		nats.UserCredentials(o.Creds),
		nats.CustomInboxPrefix(wire.PrefixInbox + string(c.self)),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(func(attempts int) time.Duration { return retry.Backoff(attempts, reconnectMin, reconnectMax) }),
		nats.ReconnectBufSize(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(writeTimeout),
		nats.ReconnectOnFlusherError(),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { c.stillAway(err) }),
		nats.ReconnectHandler(func(*nats.Conn) { c.up("connected again") }),
		nats.DisconnectErrHandler(c.down),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) { c.fault(s, err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	if o.Server != nil {
		return append(all, nats.InProcessServer(o.Server)), nil
	}
	if o.URL == "" {
		return nil, errors.New("url: none is given")
	}
	demand, err := credentials.DemandsTLS(o.URL, o.CA)
	if err != nil || !demand {
		return all, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		if config.RootCAs, err = readCA(o.CA); err != nil {
			return nil, err
		}
	}
	return append(all, nats.Secure(config)), nil
}

func readCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca: %s holds no certificate", file)
	}
	return pool, nil
}

// explain returns an error that names the setting because of which an attempt failed.
func (c *Conn) explain(err error, o Options) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked), errors.Is(err, nats.ErrAccountAuthExpired):
		return fmt.Errorf("bus: creds %s: %w at %s", o.Creds, ErrRefused, c.where)
	case errors.Is(err, nats.ErrSecureConnWanted):
		return fmt.Errorf("bus: url %s: %w: it must be encrypted off loopback, and the server does not", o.URL, ErrNoTLS)
	case errors.As(err, &unknown), errors.As(err, &host):
		return fmt.Errorf("bus: ca %q: %w: %w", o.CA, ErrNoTLS, err)
	case errors.Is(err, nats.ErrNoServers):
		return fmt.Errorf("bus: url %s: %w", c.where, ErrNobodyThere)
	case retry.Passes(err):
		return fmt.Errorf("bus: url %s: %w: %w", c.where, ErrNobodyThere, err)
	}
	return fmt.Errorf("bus: url %s: %w", c.where, err)
}

// stillAway logs why the bus cannot be reached, once a minute for each reason. It runs on
// the NATS client's goroutine.
func (c *Conn) stillAway(err error) {
	if err != nil && c.away.Due(err.Error(), c.clock()) {
		c.log.Warn("bus: still not reachable, trying again", "bus", c.where, "error", err)
	}
}

// Self returns the node that the credentials name.
func (c *Conn) Self() worlds.Node { return c.self }

// Up reports whether the connection is established.
func (c *Conn) Up() bool { return c.nats.IsConnected() }

// up and down run on the NATS client's goroutine.
func (c *Conn) up(what string) {
	c.log.Info("bus: "+what, "bus", c.where)
	c.count.connects.Add(1)
	c.raise()
}

// raise delivers Up to every node, so that it announces its keys again.
func (c *Conn) raise() {
	c.mu.Lock()
	nodes := append([]*Node(nil), c.nodes...)
	c.mu.Unlock()
	for _, n := range nodes {
		n.raise()
	}
}

func (c *Conn) down(client *nats.Conn, err error) {
	if err != nil && !client.IsClosed() {
		c.count.disconnects.Add(1)
		c.log.Warn("bus: connection lost, trying again", "bus", c.where, "error", err)
	}
}

// fault counts and logs an error that the NATS client reports asynchronously, such as a
// subscription that fell behind or is not permitted.
func (c *Conn) fault(s *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		c.count.overruns.Add(1)
	} else {
		c.count.faults.Add(1)
	}
	subject := ""
	if s != nil {
		subject = s.Subject
	}
	c.log.Warn("bus: error of the connection", "subject", subject, "error", err)
}

// spawn runs f on a goroutine that Close waits for. f returns soon after its context ends.
func (c *Conn) spawn(f func(life context.Context)) (stop func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return nil, nats.ErrConnectionClosed
	}
	life, end := context.WithCancel(c.life)
	done := make(chan struct{})
	c.background.Go(func() {
		defer close(done)
		defer end()
		f(life)
	})
	return func() {
		end()
		<-done
	}, nil
}

// Close ends registrars, beats and nodes, each of which sends its last message, waits a
// bounded time until accepted messages are sent, and closes the connection. It may be
// called again.
func (c *Conn) Close() error {
	c.mu.Lock()
	nodes, first := c.nodes, !c.shut
	c.nodes, c.shut = nil, true
	c.mu.Unlock()
	if !first {
		<-c.closed
		return nil
	}
	c.end()
	c.background.Wait()
	for _, n := range nodes {
		n.stop()
	}
	var err error
	if c.nats.IsConnected() {
		err = c.nats.FlushTimeout(closeTimeout)
	}
	c.nats.Close()
	<-c.closed
	if err != nil {
		return fmt.Errorf("bus: close: %w", err)
	}
	return nil
}
