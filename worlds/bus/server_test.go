package bus

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"gatepass/worlds"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

func mustServer(tb testing.TB, o ServerOptions) *Server {
	tb.Helper()
	s, err := StartServer(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// mustJoin connects with credentials as a node does, and nothing else: what is
// tested here are the permissions, not the clients.
func mustJoin(tb testing.TB, s *Server, creds string, more ...nats.Option) *nats.Conn {
	tb.Helper()
	node, err := NodeOf(creds)
	if err != nil {
		tb.Fatal(err)
	}
	options := append([]nats.Option{
		nats.InProcessServer(s), nats.UserCredentials(creds), nats.CustomInboxPrefix("_INBOX." + string(node)),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // it would print
	}, more...)
	c, err := nats.Connect("", options...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// eventually waits for a condition.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	eventuallyWithin(tb, patience, what, is)
}

// eventuallyWithin waits for a condition that takes longer than others.
func eventuallyWithin(tb testing.TB, limit time.Duration, what string, is func() bool) {
	tb.Helper()
	deadline := time.Now().Add(limit)
	for !is() {
		if time.Now().After(deadline) {
			tb.Fatalf("%s did not happen within %s", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestServer_LeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	a := mustAuthority(t)
	creds := mustCreds(t, a, "world.7")
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	c := mustJoin(t, s, creds)
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
	a := mustAuthority(t)
	s := mustServer(t, ServerOptions{Dir: a.Dir()})
	if s.Addr() != "" || s.URL() != "" || s.Clustered() {
		t.Errorf("it is at %q", s.Addr())
	}
	if err := mustJoin(t, s, mustCreds(t, a, "world.7")).Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestServer_StoreIsOfOneServer(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	o := ServerOptions{Dir: a.Dir(), Store: filepath.Join(t.TempDir(), "js")}
	first := mustServer(t, o)
	if _, err := StartServer(o); !errors.Is(err, errLocked) {
		t.Fatalf("a second server: %v", err)
	}
	first.Close()
	mustServer(t, o)
}

func TestServer_FaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := StartServer(ServerOptions{Listen: "nowhere", ClusterListen: ":0", Routes: []string{"x"}})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"listen: ", "cluster-listen: ", "routes: ", "dir: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
	if _, err := StartServer(ServerOptions{Dir: t.TempDir()}); !errors.Is(err, ErrNoAuthority) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestServer_PortInUseIsAnError(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	_, err := StartServer(ServerOptions{Dir: a.Dir(), Store: t.TempDir(), Listen: s.Addr()})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("started: %v", err)
	}
}

func TestServer_OffLoopbackIsEncrypted(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	creds := mustCreds(t, a, "world.7")
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "0.0.0.0:0"})
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
	if err := mustJoin(t, s, mustCreds(t, a, "world.8")).Flush(); err != nil {
		t.Error(err)
	}
}

func TestServer_OffLoopbackWithoutCertificateTellsTheMend(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	if err := os.Remove(a.path(fileServerCert)); err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "bus.example.org:4222"} {
		_, err := StartServer(ServerOptions{Dir: a.Dir(), Listen: listen})
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "gatepass bus init") || !strings.Contains(err.Error(), listen) {
			t.Errorf("%s: %v", listen, err)
		}
	}
	mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"})
}

// What a server needs, it has without the keys that make nodes.
func TestServer_NeedsNoKeys(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	creds := mustCreds(t, a, "world.7")
	for _, folder := range []string{folderKeys, folderNodes} {
		if err := os.RemoveAll(a.path(folder)); err != nil {
			t.Fatal(err)
		}
	}
	s := mustServer(t, ServerOptions{Dir: a.Dir()})
	if err := mustJoin(t, s, creds).Flush(); err != nil {
		t.Fatal(err)
	}
}

// A revoked node is cut off while the server runs, and does not come back.
func TestServer_RevokedNodeIsCutOff(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	bad, good := mustCreds(t, a, "world.7"), mustCreds(t, a, "world.8")
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	closed := make(chan struct{})
	mustJoin(t, s, bad, nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	other := mustJoin(t, s, good, nats.NoReconnect())
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(patience):
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
	a := mustAuthority(t)
	creds := mustCreds(t, a, "world.7")
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	if c, err := nats.Connect(s.URL(), nats.UserCredentials(creds)); err == nil {
		c.Close()
		t.Fatal("it is back")
	}
}

// A token of another operator, put where the region's is, changes nothing.
func TestServer_TakesTokensOfItsOperatorOnly(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	a, foreign := mustAuthority(t), mustAuthority(t)
	creds := mustCreds(t, a, "world.7")
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	token, err := os.ReadFile(foreign.path(fileRegion))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(a.path(fileRegion), token); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a refusal in the log", func() bool { return strings.Contains(log.String(), "not signed by the operator") })
	if err := mustJoin(t, s, creds).Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestServer_StrangersStayOut(t *testing.T) {
	t.Parallel()
	a, foreign := mustAuthority(t), mustAuthority(t)
	world, other := mustCreds(t, a, "world.7"), mustCreds(t, a, "world.8")
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"})
	mixed := filepath.Join(t.TempDir(), "mixed.creds")
	mustMix(t, world, other, mixed)
	for name, option := range map[string]nats.Option{
		"nobody":              nats.Name("nobody"),
		"a name and password": nats.UserInfo("world.7", "password"),
		"a foreign authority": nats.UserCredentials(mustCreds(t, foreign, "world.7")),
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
	var log lockedBuffer
	a := mustAuthority(t)
	creds := mustCreds(t, a, worlds.WorldNode(7))
	addrs := mustFreeAddrs(t, 2)
	s := mustServer(t, ServerOptions{
		Dir: a.Dir(), Listen: "127.0.0.1:0", ClusterListen: addrs[0], Routes: addrs,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	mustJoin(t, s, creds).Close()
	eventually(t, "a line of the route that nobody answers", func() bool { return strings.Contains(log.String(), addrs[1]) })
	s.Close()
	secret, _ := os.ReadFile(a.path(fileSecret))
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

// lockedBuffer takes a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// mustBucket opens a bucket as a manager does.
func mustBucket(tb testing.TB, c *nats.Conn, name string) jetstream.KeyValue {
	tb.Helper()
	js, err := jetstream.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kv, err := js.KeyValue(ctx, name)
	if err != nil {
		tb.Fatal(err)
	}
	return kv
}
