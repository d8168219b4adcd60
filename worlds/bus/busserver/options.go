package busserver

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"

	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/wire"
)

// clusterName is the same in every region: the secret keeps the servers of different
// regions apart.
const clusterName = "gatepass"

// trust holds the tokens that a server checks clients with: those of the operator and of
// the accounts.
type trust struct {
	operator         *jwt.OperatorClaims
	system, region   *jwt.AccountClaims
	systemT, regionT string // the same, signed
	secret           string
}

func readTrust(dir string) (t trust, err error) {
	var operator string
	for file, to := range map[string]*string{
		credentials.FileOperator: &operator, credentials.FileSystem: &t.systemT, credentials.FileRegion: &t.regionT, credentials.FileSecret: &t.secret,
	} {
		content, err := credentials.ReadFile(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			return t, fmt.Errorf("%s %w (%s is missing)", dir, credentials.ErrNoAuthority, file)
		}
		if err != nil {
			return t, err
		}
		*to = strings.TrimSpace(string(content))
	}
	if t.secret == "" {
		return t, fmt.Errorf("%s is empty", credentials.FileSecret)
	}
	if t.operator, err = jwt.DecodeOperatorClaims(operator); err != nil {
		return t, fmt.Errorf("%s: %w", credentials.FileOperator, err)
	}
	if t.system, err = jwt.DecodeAccountClaims(t.systemT); err != nil {
		return t, fmt.Errorf("%s: %w", credentials.FileSystem, err)
	}
	if t.region, err = jwt.DecodeAccountClaims(t.regionT); err != nil {
		return t, fmt.Errorf("%s: %w", credentials.FileRegion, err)
	}
	return t, nil
}

// resolver returns the tokens of the two accounts in the form that NATS asks for.
func (t *trust) resolver() (*server.MemAccResolver, error) {
	r := new(server.MemAccResolver)
	return r, errors.Join(r.Store(t.system.Subject, t.systemT), r.Store(t.region.Subject, t.regionT))
}

// natsOptions translates the options of this package into those of NATS.
func natsOptions(o Options, t trust) (*server.Options, error) {
	resolver, err := t.resolver()
	if err != nil {
		return nil, err
	}
	n := &server.Options{
		ServerName: o.Name,
		// gatepass handles signals and logs itself.
		NoSigs: true, NoLog: true,
		DontListen:       o.Listen == "",
		TrustedOperators: []*jwt.OperatorClaims{t.operator},
		SystemAccount:    t.system.Subject,
		AccountResolver:  resolver,

		MaxPayload: wire.MaxPayload, MaxPending: credentials.MaxPending, MaxConn: o.MaxConns, MaxSubs: credentials.MaxSubscriptions,
		AuthTimeout: authTimeout.Seconds(), TLSTimeout: authTimeout.Seconds(),
		PingInterval: serverPing, MaxPingsOut: missedPings, WriteDeadline: serverWriteLimit,

		JetStream: true, DisableJetStreamBanner: true, StoreDir: o.Store,
		JetStreamMaxStore: credentials.MaxStore,
		// An acknowledged write is synced to disk. That is cheap: the table changes when a
		// world registers or leaves, not with every heartbeat.
		SyncAlways: true,
	}
	if err := listenOn(n, o); err != nil {
		return nil, err
	}
	return n, joinCluster(n, o, t)
}

// listenOn sets the address for nodes, with TLS unless it is on loopback.
func listenOn(n *server.Options, o Options) (err error) {
	if o.Listen == "" {
		return nil
	}
	if n.Host, n.Port, err = natsAddress(o.Listen); err != nil || credentials.Loopback(n.Host) {
		return err
	}
	if n.TLSConfig, _, err = credentials.ServerTLS(o.Dir, o.Now()); err != nil {
		return fmt.Errorf("listen: %s is off loopback and must be encrypted: %w", o.Listen, err)
	}
	return nil
}

// natsAddress splits host:port as NATS needs it: a free port is -1, all hosts are 0.0.0.0.
func natsAddress(addr string) (string, int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.Atoi(port)
	if n == 0 {
		n = server.RANDOM_PORT
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return host, n, err
}

// joinCluster sets the address for other servers, with TLS unless it is on loopback.
func joinCluster(n *server.Options, o Options, t trust) (err error) {
	if o.ClusterListen == "" {
		return nil
	}
	c := &n.Cluster
	c.Name, c.Username, c.Password = clusterName, clusterName, t.secret
	c.AuthTimeout, c.TLSTimeout = authTimeout.Seconds(), authTimeout.Seconds()
	c.PingInterval, c.MaxPingsOut = serverPing, missedPings
	// Nodes have the addresses of their servers in their settings.
	c.NoAdvertise = true
	if c.Host, c.Port, err = natsAddress(o.ClusterListen); err != nil {
		return err
	}
	for _, route := range o.Routes {
		n.Routes = append(n.Routes, &url.URL{Scheme: "nats", Host: route, User: url.UserPassword(clusterName, t.secret)})
	}
	if credentials.Loopback(c.Host) {
		return nil
	}
	if _, c.TLSConfig, err = credentials.ServerTLS(o.Dir, o.Now()); err != nil {
		return fmt.Errorf("cluster-listen: %s is off loopback and must be encrypted: %w", o.ClusterListen, err)
	}
	return nil
}

// vouches returns an error unless the operator that this server trusts has signed a.
func (t *trust) vouches(a *jwt.AccountClaims) error {
	if a.Subject != t.region.Subject || !t.operator.DidSign(a) {
		return errors.New("it is not signed by the operator of this bus")
	}
	return nil
}
