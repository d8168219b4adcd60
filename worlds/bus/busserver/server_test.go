package busserver_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"gatepass/worlds"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/credentials"
)

func TestServer_LeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "world.7")
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	c := bustest.MustJoin(t, s, creds)
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.Close()
	s.Close()
	if s.Addr() != "" || s.URL() != "" {
		t.Errorf("a closed server is at %q", s.Addr())
	}
}

func TestServer_InProcessOnlyListensNowhere(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	if s.Addr() != "" || s.URL() != "" || s.Clustered() {
		t.Errorf("it is at %q", s.Addr())
	}
	if err := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "world.7")).Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestServer_StoreIsOfOneServer(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	o := busserver.Options{Dir: a.Dir(), Store: filepath.Join(t.TempDir(), "js")}
	first := bustest.MustServer(t, o)
	if _, err := busserver.Start(o); !errors.Is(err, credentials.ErrLocked) {
		t.Fatalf("a second server: %v", err)
	}
	first.Close()
	bustest.MustServer(t, o)
}

func TestServer_FaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := busserver.Start(busserver.Options{Listen: "nowhere", ClusterListen: ":0", Routes: []string{"x"}})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"listen: ", "cluster-listen: ", "routes: ", "dir: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
	if _, err := busserver.Start(busserver.Options{Dir: t.TempDir()}); !errors.Is(err, credentials.ErrNoAuthority) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestServer_PortInUseIsAnError(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	_, err := busserver.Start(busserver.Options{Dir: a.Dir(), Store: t.TempDir(), Listen: s.Addr()})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("started: %v", err)
	}
}

func TestServer_OffLoopbackIsEncrypted(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "world.7")
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "0.0.0.0:0"})
	if !strings.HasPrefix(s.URL(), "tls://127.0.0.1:") {
		t.Fatalf("it is at %s", s.URL())
	}
	c, err := nats.Connect(s.URL(), nats.UserCredentials(creds), nats.RootCAs(a.CA()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if state, err := c.TLSConnectionState(); err != nil || !state.HandshakeComplete {
		t.Errorf("not encrypted: %v", err)
	}
	if c, err := nats.Connect(s.URL(), nats.UserCredentials(creds)); err == nil {
		c.Close()
		t.Error("a client that does not know the authority has connected")
	}
	// In process there is no wire to encrypt.
	if err := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "world.8")).Flush(); err != nil {
		t.Error(err)
	}
}

func TestServer_OffLoopbackWithoutCertificateTellsTheMend(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	if err := os.Remove(path(a, credentials.FileServerCert)); err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "bus.example.org:4222"} {
		_, err := busserver.Start(busserver.Options{Dir: a.Dir(), Listen: listen})
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "gatepass bus init") || !strings.Contains(err.Error(), listen) {
			t.Errorf("%s: %v", listen, err)
		}
	}
	bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"})
}

// What a server needs, it has without the keys that make nodes.
func TestServer_NeedsNoKeys(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "world.7")
	for _, folder := range []string{credentials.FolderKeys, credentials.FolderNodes} {
		if err := os.RemoveAll(path(a, folder)); err != nil {
			t.Fatal(err)
		}
	}
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	if err := bustest.MustJoin(t, s, creds).Flush(); err != nil {
		t.Fatal(err)
	}
}

// A revoked node is cut off while the server runs, and does not come back.
func TestServer_RevokedNodeIsCutOff(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	bad, good := bustest.MustCreds(t, a, "world.7"), bustest.MustCreds(t, a, "world.8")
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	closed := make(chan struct{})
	bustest.MustJoin(t, s, bad, nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	other := bustest.MustJoin(t, s, good, nats.NoReconnect())
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(bustest.Patience):
		t.Fatal("it is still there")
	}
	if c, err := nats.Connect(s.URL(), nats.UserCredentials(bad)); err == nil {
		c.Close()
		t.Error("it is back")
	}
	if err := other.Flush(); err != nil {
		t.Errorf("another node: %v", err)
	}
}

func TestServer_RevokedNodeStaysOutAfterARestart(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "world.7")
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	if c, err := nats.Connect(s.URL(), nats.UserCredentials(creds)); err == nil {
		c.Close()
		t.Fatal("it is back")
	}
}

// A token of another operator, put where the region's is, changes nothing.
func TestServer_TakesTokensOfItsOperatorOnly(t *testing.T) {
	t.Parallel()
	var log bustest.LockedBuffer
	a, foreign := bustest.MustAuthority(t), bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "world.7")
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	token, err := os.ReadFile(path(foreign, credentials.FileRegion))
	if err != nil {
		t.Fatal(err)
	}
	if err := credentials.WriteFile(path(a, credentials.FileRegion), token); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "a refusal in the log", func() bool { return strings.Contains(log.String(), "not signed by the operator") })
	if err := bustest.MustJoin(t, s, creds).Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestServer_StrangersStayOut(t *testing.T) {
	t.Parallel()
	a, foreign := bustest.MustAuthority(t), bustest.MustAuthority(t)
	world, other := bustest.MustCreds(t, a, "world.7"), bustest.MustCreds(t, a, "world.8")
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	mixed := filepath.Join(t.TempDir(), "mixed.creds")
	mustMix(t, world, other, mixed)
	for name, option := range map[string]nats.Option{
		"nobody":              nats.Name("nobody"),
		"a name and password": nats.UserInfo("world.7", "password"),
		"a foreign authority": nats.UserCredentials(bustest.MustCreds(t, foreign, "world.7")),
		"another node's seed": nats.UserCredentials(mixed),
	} {
		c, err := nats.Connect(s.URL(), option)
		if err == nil {
			c.Close()
			t.Errorf("%s has connected", name)
		} else if !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// mustMix joins the token of one node with the seed of another.
func mustMix(tb testing.TB, token, seed, to string) {
	tb.Helper()
	head, err := os.ReadFile(token)
	if err != nil {
		tb.Fatal(err)
	}
	tail, err := os.ReadFile(seed)
	if err != nil {
		tb.Fatal(err)
	}
	cut := []byte("*****")
	mixed := append(bytes.Clone(head[:bytes.Index(head, cut)]), tail[bytes.Index(tail, cut):]...)
	if err := os.WriteFile(to, mixed, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestServer_LogKeepsSecrets(t *testing.T) {
	t.Parallel()
	var log bustest.LockedBuffer
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, worlds.WorldNode(7))
	addrs := bustest.MustFreeAddrs(t, 2)
	s := bustest.MustServer(t, busserver.Options{
		Dir: a.Dir(), Listen: "127.0.0.1:0", ClusterListen: addrs[0], Routes: addrs,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	bustest.MustJoin(t, s, creds).Close()
	bustest.Eventually(t, "a line of the route that nobody answers", func() bool { return strings.Contains(log.String(), addrs[1]) })
	s.Close()
	secret, _ := os.ReadFile(path(a, credentials.FileSecret))
	content, _ := os.ReadFile(creds)
	for _, hidden := range [][]byte{secret, []byte("eyJ"), seedIn(content)} {
		if strings.Contains(log.String(), string(hidden)) {
			t.Errorf("the log holds a secret")
		}
	}
}

func seedIn(creds []byte) []byte {
	i := bytes.Index(creds, []byte("\nSU"))
	return creds[i+1 : i+20]
}

// path returns the path of one of the authority's files.
func path(a *credentials.Authority, file string) string { return filepath.Join(a.Dir(), file) }
