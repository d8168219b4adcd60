package busserver_test

import (
	"testing"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/wire"
)

// A server of NATS' own, made of the snippet, serves the region's nodes.
func TestSnippet_ServesTheRegion(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	o, err := natsserver.ProcessConfigFile(path(a, credentials.FileSnippet))
	if err != nil {
		t.Fatal(err)
	}
	o.Host, o.Port, o.NoSigs, o.NoLog, o.StoreDir = "127.0.0.1", natsserver.RANDOM_PORT, true, true, t.TempDir()
	s, err := natsserver.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer func() { s.Shutdown(); s.WaitForShutdown() }()
	if !s.ReadyForConnections(bustest.Patience) {
		t.Fatal("it does not start")
	}
	url := "tls://" + s.Addr().String()
	for range 2 { // the second time nothing changes
		if err := busserver.Setup(t.Context(), busserver.SetupOptions{Dir: a.Dir(), URL: url, Replicas: 1}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := nats.Connect(url, nats.UserCredentials(bustest.MustCreds(t, a, "manager.a")), nats.RootCAs(a.CA()), nats.CustomInboxPrefix("_INBOX.manager.a"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := bustest.MustBucket(t, c, wire.BucketLease).Put(t.Context(), "key", nil); err != nil {
		t.Error(err)
	}
	if err := busserver.Setup(t.Context(), busserver.SetupOptions{Dir: a.Dir(), URL: url, Replicas: 2}); err == nil {
		t.Error("two replicas were taken")
	}
}
