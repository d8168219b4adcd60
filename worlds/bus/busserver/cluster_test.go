package busserver_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/wire"
)

// mustCluster starts servers that know each other.
func mustCluster(tb testing.TB, a *credentials.Authority, n int) []*busserver.Server {
	tb.Helper()
	routes := bustest.MustFreeAddrs(tb, n)
	var all []*busserver.Server
	for i := range n {
		_, port, err := net.SplitHostPort(routes[i])
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, bustest.MustServer(tb, busserver.Options{
			Dir: a.Dir(), Store: filepath.Join(tb.TempDir(), "js"), Listen: "127.0.0.1:0",
			Name: "bus-" + port, ClusterListen: routes[i], Routes: routes,
		}))
	}
	mustHaveBuckets(tb, all)
	return all
}

// mustHaveBuckets waits until all servers know that the buckets are made.
func mustHaveBuckets(tb testing.TB, all []*busserver.Server) {
	tb.Helper()
	for _, s := range all {
		select {
		case <-s.Buckets():
		case <-time.After(2 * bustest.Patience):
			tb.Fatal("the buckets were not made")
		}
	}
}

// Three servers keep the buckets together: what was stored is there when one of
// them is lost, and can be changed.
func TestCluster_BucketsSurviveTheLossOfAServer(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "manager.a")
	all := mustCluster(t, a, 3)
	client, err := nats.Connect(all[0].URL()+","+all[1].URL()+","+all[2].URL(), nats.UserCredentials(creds),
		nats.CustomInboxPrefix("_INBOX.manager.a"), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	kv := bustest.MustBucket(t, client, wire.BucketWorlds)
	first := mustPut(t, kv, "1")
	info, err := kv.Status(context.Background())
	if err != nil || info.(*jetstream.KeyValueBucketStatus).StreamInfo().Config.Replicas != 3 {
		t.Fatalf("the bucket is kept as %v: %v", info, err)
	}
	// The one that leads the bucket, so that another must take over.
	leader := info.(*jetstream.KeyValueBucketStatus).StreamInfo().Cluster.Leader
	for _, s := range all {
		if s.NATS().Name() == leader {
			s.Close()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*bustest.Patience)
	defer cancel()
	var second uint64
	bustest.Eventually(t, "a change after the loss", func() bool {
		try, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		second, err = kv.Update(try, "key", []byte("2"), first)
		// A change whose answer was lost is found already done.
		return err == nil || strings.Contains(err.Error(), "wrong last sequence")
	})
	e, err := kv.Get(ctx, "key")
	if err != nil || string(e.Value()) != "2" || second != 0 && e.Revision() != second {
		t.Fatalf("after the loss: %v, %v", e, err)
	}
}

func mustPut(tb testing.TB, kv jetstream.KeyValue, value string) (revision uint64) {
	tb.Helper()
	bustest.Eventually(tb, "a put", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var err error
		revision, err = kv.Put(ctx, "key", []byte(value))
		return err == nil
	})
	return revision
}

// Servers of a cluster know each other by its secret, and off loopback by their
// certificates too.
func TestCluster_StrangersStayOut(t *testing.T) {
	t.Parallel()
	for host, refusal := range map[string]string{"127.0.0.1": "uthentication", "0.0.0.0": "TLS route handshake error"} {
		t.Run(host, func(t *testing.T) {
			var log bustest.LockedBuffer
			a, foreign := bustest.MustAuthority(t), bustest.MustAuthority(t)
			routes := bustest.MustFreeAddrs(t, 3)
			start := func(a *credentials.Authority, route string, all ...string) *busserver.Server {
				_, port, _ := net.SplitHostPort(route)
				return bustest.MustServer(t, busserver.Options{
					Dir: a.Dir(), Store: t.TempDir(), Listen: "127.0.0.1:0", Name: "bus-" + port,
					ClusterListen: net.JoinHostPort(host, port), Routes: all,
					Logger: slog.New(slog.NewTextHandler(&log, nil)),
				})
			}
			first, second := start(a, routes[0], routes[:2]...), start(a, routes[1], routes[:2]...)
			bustest.Eventually(t, "a route", func() bool { return first.NATS().NumRoutes() > 0 && second.NATS().NumRoutes() > 0 })
			if strings.Contains(log.String(), refusal) {
				t.Fatalf("the second server was refused: %s", log.String())
			}
			stranger := start(foreign, routes[2], routes...)
			bustest.Eventually(t, "a refusal", func() bool { return strings.Contains(log.String(), refusal) })
			// A route that is being refused counts for a moment.
			bustest.Eventually(t, "the stranger is out of the cluster", func() bool { return stranger.NATS().NumRoutes() == 0 })
		})
	}
}
