package bus

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
)

// clusterName is the same on all servers of a region; the secret tells regions
// apart.
const clusterName = "gatepass"

// trust is what a server believes: the operator's and the accounts' tokens.
type trust struct {
	operator         *jwt.OperatorClaims
	system, region   *jwt.AccountClaims
	systemT, regionT string // the same, as signed
	secret           string
}

func readTrust(dir string) (t trust, err error) {
	var operator string
	for file, to := range map[string]*string{
		fileOperator: &operator, fileSystem: &t.systemT, fileRegion: &t.regionT, fileSecret: &t.secret,
	} {
		content, err := readBounded(filepath.Join(dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			return t, fmt.Errorf("%s %w (%s is missing)", dir, ErrNoAuthority, file)
		}
		if err != nil {
			return t, err
		}
		*to = strings.TrimSpace(string(content))
	}
	if t.secret == "" {
		return t, fmt.Errorf("%s is empty", fileSecret)
	}
	if t.operator, err = jwt.DecodeOperatorClaims(operator); err != nil {
		return t, fmt.Errorf("%s: %w", fileOperator, err)
	}
	if t.system, err = jwt.DecodeAccountClaims(t.systemT); err != nil {
		return t, fmt.Errorf("%s: %w", fileSystem, err)
	}
	if t.region, err = jwt.DecodeAccountClaims(t.regionT); err != nil {
		return t, fmt.Errorf("%s: %w", fileRegion, err)
	}
	return t, nil
}

// resolver holds the two accounts' tokens.
func (t *trust) resolver() (*server.MemAccResolver, error) {
	r := new(server.MemAccResolver)
	return r, errors.Join(r.Store(t.system.Subject, t.systemT), r.Store(t.region.Subject, t.regionT))
}

func natsOptions(o ServerOptions, t trust) (*server.Options, error) {
	resolver, err := t.resolver()
	if err != nil {
		return nil, err
	}
	n := &server.Options{
		ServerName: o.Name,
		// The process's signals and log are gatepass's own.
		NoSigs: true, NoLog: true,
		DontListen:       o.Listen == "",
		TrustedOperators: []*jwt.OperatorClaims{t.operator},
		SystemAccount:    t.system.Subject,
		AccountResolver:  resolver,

		MaxPayload: maxPayload, MaxPending: maxPending, MaxConn: o.MaxConns, MaxSubs: maxSubscriptions,
		AuthTimeout: authLimit.Seconds(), TLSTimeout: authLimit.Seconds(),
		PingInterval: serverPing, MaxPingsOut: missedPings, WriteDeadline: serverWriteLimit,

		JetStream: true, DisableJetStreamBanner: true, StoreDir: o.Store,
		JetStreamMaxStore: storeLimit,
		// What is acknowledged is synced: the table changes when a world comes or
		// goes, not with every heartbeat, so that it costs next to nothing.
		SyncAlways: true,
	}
	if err := listenOn(n, o); err != nil {
		return nil, err
	}
	return n, joinCluster(n, o, t)
}

func listenOn(n *server.Options, o ServerOptions) (err error) {
	if o.Listen == "" {
		return nil
	}
	if n.Host, n.Port, err = natsAddress(o.Listen); err != nil || loopback(n.Host) {
		return err
	}
	if n.TLSConfig, _, err = serverTLS(o.Dir, o.Now()); err != nil {
		return fmt.Errorf("listen: %s is off loopback and must be encrypted: %w", o.Listen, err)
	}
	return nil
}

// natsAddress is host:port in NATS' terms, where a free port is -1.
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

func joinCluster(n *server.Options, o ServerOptions, t trust) (err error) {
	if o.ClusterListen == "" {
		return nil
	}
	c := &n.Cluster
	c.Name, c.Username, c.Password = clusterName, clusterName, t.secret
	c.AuthTimeout, c.TLSTimeout = authLimit.Seconds(), authLimit.Seconds()
	c.PingInterval, c.MaxPingsOut = serverPing, missedPings
	// Nodes know their servers from their own settings.
	c.NoAdvertise = true
	if c.Host, c.Port, err = natsAddress(o.ClusterListen); err != nil {
		return err
	}
	for _, route := range o.Routes {
		n.Routes = append(n.Routes, &url.URL{Scheme: "nats", Host: route, User: url.UserPassword(clusterName, t.secret)})
	}
	if loopback(c.Host) {
		return nil
	}
	if _, c.TLSConfig, err = serverTLS(o.Dir, o.Now()); err != nil {
		return fmt.Errorf("cluster-listen: %s is off loopback and must be encrypted: %w", o.ClusterListen, err)
	}
	return nil
}

// vouches tells whether the operator that this server trusts has signed it.
func (t *trust) vouches(a *jwt.AccountClaims) error {
	if a.Subject != t.region.Subject || !t.operator.DidSign(a) {
		return errors.New("it is not signed by the operator of this bus")
	}
	return nil
}
