package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"gatepass/deadline"
)

// ServerOptions say how an embedded server runs.
type ServerOptions struct {
	// Dir is the authority's folder; a server needs no keys of it, so a copy
	// without keys/ will do.
	Dir string
	// Store is the folder of JetStream's files, of this server alone; default is
	// Dir/jetstream.
	Store string
	// Listen is host:port for nodes of other processes; port 0 takes a free one.
	// Empty serves this process only. Off loopback connections are encrypted.
	Listen string
	// Name tells the servers of a cluster apart; default is the host's name, and
	// in a cluster the port of ClusterListen behind it.
	Name string
	// ClusterListen is host:port for the other servers of a cluster; empty stands
	// alone. Off loopback both sides show the authority's certificate; the
	// cluster's secret they need anyway. All take the same folder.
	ClusterListen string
	// Routes are the ClusterListen of all servers of the cluster, as they reach each
	// other, this one's own too: their number is the size of the cluster.
	Routes []string
	// MaxConns is how many connections there may be at once, those that have not proven
	// yet who they are included; 0 takes the default, which leaves room for strangers
	// beside the nodes of the largest region.
	MaxConns int
	// Logger takes what operators should know; nil discards it.
	Logger *slog.Logger
	// Now is the clock that certificates are checked by; nil is the system's.
	Now func() time.Time
}

func (o *ServerOptions) ensureDefaults() {
	if o.Store == "" {
		o.Store = filepath.Join(o.Dir, "jetstream")
	}
	if o.Name == "" {
		o.Name, _ = os.Hostname()
		if _, port, err := net.SplitHostPort(o.ClusterListen); err == nil {
			o.Name += "-" + port
		}
		if o.Name == "" {
			o.Name = "bus"
		}
	}
	if o.MaxConns == 0 {
		o.MaxConns = mostConnections
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func (o *ServerOptions) validate() error {
	faults := []error{checkListen("listen", o.Listen), checkListen("cluster-listen", o.ClusterListen)}
	if o.Dir == "" {
		faults = append(faults, errors.New("dir: name the authority's folder"))
	}
	for _, route := range o.Routes {
		if host, port, err := net.SplitHostPort(route); err != nil || host == "" || port == "0" {
			faults = append(faults, fmt.Errorf("routes: %q is not host:port", route))
		}
	}
	if o.ClusterListen == "" && len(o.Routes) > 0 {
		faults = append(faults, errors.New("routes: they need cluster-listen, where the other servers reach this one"))
	}
	if o.ClusterListen != "" && !o.routesToAll() {
		faults = append(faults, errors.New("routes: name the cluster-listen addresses of all servers of the cluster, this one's too"))
	}
	if o.ClusterListen != "" && o.Listen == "" {
		faults = append(faults, errors.New("listen: a server of a cluster needs an address for nodes"))
	}
	return errors.Join(faults...)
}

// routesToAll tells whether this server may be among the routes, besides others;
// where it listens on all addresses its own name for itself is not known.
func (o *ServerOptions) routesToAll() bool {
	host, _, _ := net.SplitHostPort(o.ClusterListen)
	ip := net.ParseIP(host)
	all := host == "" || ip != nil && ip.IsUnspecified()
	return len(o.Routes) > 1 && (all || slices.Contains(o.Routes, o.ClusterListen))
}

func checkListen(field, addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: %q is not host:port", field, addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: port %q is not 0 to 65535", field, port)
	} else if field == "cluster-listen" && n == 0 {
		return fmt.Errorf("%s: the other servers need to know the port, it cannot be 0", field)
	}
	return nil
}

// Server is a NATS server in this process. All methods may be called from
// anywhere.
type Server struct {
	// static after start
	nats      *embedded
	log       *slog.Logger
	listen    bool
	encrypted bool
	clustered bool
	release   func() // gives the store back
	store     *storeWatch
	strangers *strangerWatch

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup
	close      sync.Once
	// buckets is closed once the managers' buckets are there.
	buckets chan struct{}
}

// StartServer starts a server and returns once it takes connections. Alone it has
// made the managers' buckets by then; in a cluster that happens as soon as most
// servers are there.
func StartServer(o ServerOptions) (*Server, error) {
	o.ensureDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	s := &Server{
		log: o.Logger, listen: o.Listen != "", clustered: o.ClusterListen != "", release: func() {},
		buckets: make(chan struct{}),
	}
	s.life, s.end = context.WithCancel(context.Background())
	if err := s.start(o); err != nil {
		s.Close()
		return nil, fmt.Errorf("bus: %w", err)
	}
	s.log.Info("bus server started", "listen", s.Addr(), "encrypted", s.encrypted, "clustered", s.clustered)
	return s, nil
}

func (s *Server) start(o ServerOptions) error {
	trust, err := readTrust(o.Dir)
	if err != nil {
		return err
	}
	options, err := natsOptions(o, trust)
	if err != nil {
		return err
	}
	s.encrypted = options.TLSConfig != nil
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return err
	}
	// JetStream itself would let two processes write the same files.
	if s.release, err = lockFolder(o.Store, false); err != nil {
		s.release = func() {}
		return fmt.Errorf("store: %w", err)
	}
	_ = os.Remove(filepath.Join(o.Store, probeFile))
	s.nats = &embedded{log: o.Logger, secret: trust.secret, options: options}
	if err := s.nats.start(s.life); err != nil {
		return err
	}
	s.strangers = &strangerWatch{nats: s.nats, most: options.MaxConn, log: o.Logger, clock: deadline.Now}
	s.background.Go(s.watchStrangers)
	s.background.Add(1)
	go s.follow(filepath.Join(o.Dir, fileRegion), trust)
	s.store = &storeWatch{nats: s.nats, dir: o.Store, log: o.Logger, now: o.Now}
	// A server that is alone has the buckets once this returns: nothing is mended while
	// they are made. In a cluster they may have to wait for a server that is to be mended.
	if err := s.startBuckets(filepath.Join(o.Dir, fileSetup), replicasFor(o)); err != nil {
		return err
	}
	s.background.Go(func() { s.store.run(s.life) })
	return nil
}

// Addr is host:port where nodes of other processes connect; empty when they
// cannot.
func (s *Server) Addr() string {
	if !s.listen || s.nats == nil || s.nats.now() == nil {
		return ""
	}
	addr := s.nats.now().Addr()
	if addr == nil {
		return "" // closed
	}
	return addr.String()
}

// URL is what nodes on this machine connect to; empty when they cannot.
func (s *Server) URL() string {
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "nats://"
	if s.encrypted {
		scheme = "tls://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// Clustered tells whether it is one of several servers.
func (s *Server) Clustered() bool { return s.clustered }

// InProcessConn is for nats.InProcessServer: a connection without a socket.
// Credentials are asked for all the same. While the NATS server is replaced, and after
// Close, the error is io.ErrClosedPipe.
func (s *Server) InProcessConn() (net.Conn, error) {
	c, err := s.nats.now().InProcessConn()
	if err != nil {
		return nil, fmt.Errorf("%w: the server does not run", io.ErrClosedPipe)
	}
	return c, nil
}

// Close ends every connection and returns when the server has ended; what it had
// acknowledged is on disk before. It may be called again.
func (s *Server) Close() {
	s.close.Do(func() {
		s.end()
		// Whoever replaces the server has to end first: a server that is started later
		// would go on, with files that are another's by then.
		s.background.Wait()
		if s.nats != nil {
			s.nats.stop()
		}
		s.release()
	})
}
