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
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/deadline"
	"gatepass/worlds"
)

// Options say where the bus is and who connects.
type Options struct {
	// URL is nats://host:port or tls://host:port, several with commas between.
	// Off loopback the connection is encrypted or refused, whatever it says.
	URL string
	// Server is the embedded server of the same process, instead of URL: no
	// socket is used, but the credentials are asked for all the same.
	Server *Server
	// Creds is the file with the node's credentials; they also say which node
	// it is.
	Creds string
	// CA is the file with the certificate that the server's is signed with;
	// empty for those the system trusts. Setting it asks for encryption on
	// loopback too.
	CA string
	// Demand makes Connect fail when nobody is there. Without it Connect
	// succeeds and keeps trying: a login server starts without its bus, and
	// shows an empty list until it comes.
	Demand bool
	// Logger takes what operators should know; nil discards it.
	Logger *slog.Logger
	// Clock is what silences are measured by; nil is deadline.Now. Random is what tells
	// processes apart; nil is the system's.
	Clock  func() time.Duration
	Random io.Reader
}

// Errors of Connect.
var (
	// ErrNobodyThere: nothing answers at the URL, or the server has no room just now.
	ErrNobodyThere = errors.New("nobody is there")
	// ErrRefused: the server does not take the credentials.
	ErrRefused = errors.New("the bus refuses the credentials")
	// ErrNoTLS: the server is off loopback and does not encrypt, or its
	// certificate is not one that is trusted.
	ErrNoTLS = errors.New("no trusted encryption")
)

// Conn is one node's connection to the bus. It comes back by itself whenever it
// is lost. Its methods may be called from anywhere.
type Conn struct {
	// static after Connect
	self   worlds.Node
	nats   *nats.Conn
	log    *slog.Logger
	clock  func() time.Duration
	where  string
	count  counters
	closed chan struct{} // closed when the NATS client has ended
	away   refusal       // of the NATS client's goroutine: what the log said last
	// incarnation is not 0: that of the process, as its login beats tell.
	incarnation uint64
	// helloEvery is that of nodes; tests want it short.
	helloEvery time.Duration
	leader     leaderWatch
	fence      fence

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup // registrars and beats

	mu    sync.Mutex
	nodes []*Node // guarded by mu
	shut  bool    // guarded by mu
}

// Connect connects the node that the credentials are of. ctx bounds the first
// attempt only. Wrong settings, refused credentials and missing encryption are
// errors, and the setting concerned is named; see Options.Demand for a bus that
// is not there.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = deadline.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	var incarnation [8]byte
	if _, err := io.ReadFull(o.Random, incarnation[:]); err != nil {
		return nil, fmt.Errorf("bus: random: %w", err)
	}
	self, err := NodeOf(o.Creds)
	if err != nil {
		return nil, fmt.Errorf("bus: creds %s: %w", o.Creds, err)
	}
	c := &Conn{self: self, clock: o.Clock, log: o.Logger.With("node", string(self)), closed: make(chan struct{}), where: o.URL, helloEvery: helloEvery}
	c.leader.silence = leaderSilence
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
		c.log.Warn("bus: not there yet, trying on", "bus", c.where, "error", err)
		later := nats.ConnectHandler(func(*nats.Conn) { c.up("connected") })
		c.nats, err = dial(context.Background(), append(settings, nats.RetryOnFailedConnect(true), later), o.URL)
		return c, err
	}
	c.up("connected")
	return c, nil
}

// dial bounds one attempt by ctx; the connection itself outlives ctx.
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
	// pingInterval is how often a silent connection is asked whether it lives;
	// two missed answers end it.
	pingInterval = 5 * time.Second
	// writeTimeout is how long the bus may not take what is written before the
	// connection is given up.
	writeTimeout = 5 * time.Second
	// closeTimeout bounds how long Close waits for what was accepted to be sent.
	closeTimeout = 2 * time.Second
)

// settings are those of the NATS client. What is published while the connection
// is away is an error, so that it is counted and not sent stale later.
func (c *Conn) settings(o Options) ([]nats.Option, error) {
	all := []nats.Option{
		nats.Name(string(c.self)),
		nats.UserCredentials(o.Creds),
		nats.CustomInboxPrefix(prefixInbox + string(c.self)),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(reconnectDelay),
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
	demand, err := demandsTLS(o)
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

// demandsTLS tells whether the connection must be encrypted: it must as soon as
// one of the addresses is not surely this machine's own.
func demandsTLS(o Options) (bool, error) {
	demand := o.CA != ""
	for one := range strings.SplitSeq(o.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || (u.Scheme != "nats" && u.Scheme != "tls") {
			return false, fmt.Errorf("url: %q is not nats://host:port or tls://host:port", one)
		}
		demand = demand || u.Scheme == "tls" || !loopback(u.Hostname())
	}
	return demand, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
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

// explain turns a failed attempt into an error that names the setting.
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
	case comesLater(err):
		return fmt.Errorf("bus: url %s: %w: %w", c.where, ErrNobodyThere, err)
	}
	return fmt.Errorf("bus: url %s: %w", c.where, err)
}

// comesLater tells whether an attempt to connect failed for a reason that passes by
// itself: the server is not there, does not answer, ends, or has no room just now.
func comesLater(err error) bool {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	// What a server says before it closes the connection has no type of its own.
	said := strings.ToLower(err.Error())
	for _, reason := range []string{
		nats.MAX_CONNECTIONS_ERR, nats.MAX_ACCOUNT_CONNECTIONS_ERR, "authentication timeout", "secure connection - tls handshake timeout",
		nats.STALE_CONNECTION, "server is shutting down", "server shutdown",
	} {
		if strings.Contains(said, reason) {
			return true
		}
	}
	return false
}

// stillAway logs why the bus cannot be reached yet, again after a while. It runs on the
// NATS client's goroutine.
func (c *Conn) stillAway(err error) {
	if err != nil && c.away.tells(err.Error(), c.clock()) {
		c.log.Warn("bus: still not there, trying on", "bus", c.where, "error", err)
	}
}

// Self is the node that the credentials are of.
func (c *Conn) Self() worlds.Node { return c.self }

// Up tells whether the connection is there now.
func (c *Conn) Up() bool { return c.nats.IsConnected() }

// up and down run on the NATS client's goroutine.
func (c *Conn) up(what string) {
	c.log.Info("bus: "+what, "bus", c.where)
	c.count.connects.Add(1)
	c.raise()
}

// raise makes every node announce anew.
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
		c.log.Warn("bus: connection lost, trying on", "bus", c.where, "error", err)
	}
}

// fault takes what the NATS client reports by itself: a subscription that could
// not keep up or is not permitted.
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
	c.log.Warn("bus: trouble", "subject", subject, "error", err)
}

// spawn runs f until it ends, which it does soon after its context has.
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

// Close ends registrars, beats and nodes, which say what they have to say first,
// sends what was accepted (bounded), and ends the connection. It may be called
// again.
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
