package busserver

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
	"gatepass/worlds/bus/credentials"
)

// Options configure an embedded server.
type Options struct {
	// Dir is the authority's folder, or a copy of it without keys/: a server does not
	// need the keys.
	Dir string
	// Store is the folder of JetStream's files, which no other server may use. The
	// default is Dir/jetstream.
	Store string
	// Listen is host:port for nodes of other processes. Port 0 picks a free port. If it
	// is empty, the server serves this process only. Connections off loopback are
	// encrypted.
	Listen string
	// Name identifies the server in a cluster. The default is the host name; in a cluster
	// the port of ClusterListen is appended.
	Name string
	// ClusterListen is host:port for the other servers of a cluster. If it is empty, there
	// is no cluster. The servers of a cluster use copies of one authority's folder and
	// authenticate with the cluster's secret; off loopback they also check each other's
	// certificate.
	ClusterListen string
	// Routes are the ClusterListen addresses of all servers of the cluster, this one
	// included. Their number is the size of the cluster.
	Routes []string
	// MaxConns bounds all connections, unauthenticated ones included. 0 takes
	// credentials.MaxConnections.
	MaxConns int
	// Logger takes messages for operators; nil discards them.
	Logger *slog.Logger
	// Now is the clock that certificates are checked by; nil is the system's clock.
	Now func() time.Time
}

func (o *Options) ensureDefaults() {
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
		o.MaxConns = credentials.MaxConnections
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func (o *Options) validate() error {
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

// routesToAll reports whether the routes name this server and others. It cannot check
// for a server that listens on all addresses, and then assumes that they name it.
func (o *Options) routesToAll() bool {
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
		return fmt.Errorf("%s: the port cannot be 0: the other servers need to know it", field)
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
	release   func() // unlocks the store
	store     *storeWatch
	strangers *strangerWatch

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup
	close      sync.Once
	// buckets is closed when the managers' buckets exist.
	buckets chan struct{}
}

// Start starts a server and returns when it accepts connections. A server without a
// cluster has created the managers' buckets by then; in a cluster they are created when
// most servers have started.
func Start(o Options) (*Server, error) {
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

func (s *Server) start(o Options) error {
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
	// JetStream does not prevent two processes from writing the same files.
	if s.release, err = credentials.LockFolder(o.Store, false); err != nil {
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
	go s.follow(filepath.Join(o.Dir, credentials.FileRegion), trust)
	s.store = &storeWatch{nats: s.nats, dir: o.Store, log: o.Logger, now: o.Now}
	// The store watch starts after the buckets: without a cluster they exist now, so it
	// cannot take a stream that is being created for a fault. In a cluster they may have
	// to wait for a server whose store the watch has to restore.
	if err := s.startBuckets(filepath.Join(o.Dir, credentials.FileSetup), replicasFor(o)); err != nil {
		return err
	}
	s.background.Go(func() { s.store.run(s.life) })
	return nil
}

// Addr returns host:port for nodes of other processes, or "" if the server does not
// listen.
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

// URL returns the address for nodes on this machine, or "" if the server does not listen.
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

// Clustered reports whether the server belongs to a cluster.
func (s *Server) Clustered() bool { return s.clustered }

// InProcessConn implements nats.InProcessConnProvider: it returns a connection without a
// socket, which has to authenticate like any other. While the NATS server is being
// replaced, and after Close, the error is io.ErrClosedPipe.
func (s *Server) InProcessConn() (net.Conn, error) {
	c, err := s.nats.now().InProcessConn()
	if err != nil {
		return nil, fmt.Errorf("%w: the server does not run", io.ErrClosedPipe)
	}
	return c, nil
}

// Close closes every connection and returns when the server has shut down. What it has
// acknowledged is on disk. It may be called again.
func (s *Server) Close() {
	s.close.Do(func() {
		s.end()
		// The store watch has to end first: a server that it started after the shutdown
		// would keep running, on files that another process may use by then.
		s.background.Wait()
		if s.nats != nil {
			s.nats.stop()
		}
		s.release()
	})
}
