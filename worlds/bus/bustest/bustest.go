package bustest

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatepass/codec"
	"gatepass/worlds"
	"gatepass/worlds/bus/credentials"
)

// Patience is how long a test waits for an event.
const Patience = 10 * time.Second

// Eventually waits for a condition.
func Eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	EventuallyWithin(tb, Patience, what, is)
}

// EventuallyWithin waits for a condition that takes longer than Patience.
func EventuallyWithin(tb testing.TB, limit time.Duration, what string, is func() bool) {
	tb.Helper()
	deadline := time.Now().Add(limit)
	for !is() {
		if time.Now().After(deadline) {
			tb.Fatalf("%s did not happen within %s", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// MustAuthority creates the authority of a region.
func MustAuthority(tb testing.TB, hosts ...string) *credentials.Authority {
	tb.Helper()
	o := credentials.InitOptions{Region: "test", Hosts: hosts, Now: time.Now(), Random: rand.Reader}
	a, err := credentials.InitAuthority(filepath.Join(tb.TempDir(), "bus"), o)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// MustCreds adds a node and returns its credentials file.
func MustCreds(tb testing.TB, a *credentials.Authority, node worlds.Node) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), string(node)+".creds")
	if err := a.AddNode(node, file); err != nil {
		tb.Fatal(err)
	}
	return file
}

// MustJoin connects a plain NATS client with a node's credentials: it shows what the
// permissions allow, whatever this program's own clients do.
func MustJoin(tb testing.TB, s nats.InProcessConnProvider, creds string, more ...nats.Option) *nats.Conn {
	tb.Helper()
	node, err := credentials.NodeOf(creds)
	if err != nil {
		tb.Fatal(err)
	}
	options := append([]nats.Option{
		nats.InProcessServer(s), nats.UserCredentials(creds), nats.CustomInboxPrefix("_INBOX." + string(node)),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // the default prints
	}, more...)
	c, err := nats.Connect("", options...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// MustBucket opens a bucket as a manager does.
func MustBucket(tb testing.TB, c *nats.Conn, name string) jetstream.KeyValue {
	tb.Helper()
	js, err := jetstream.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	kv, err := js.KeyValue(ctx, name)
	if err != nil {
		tb.Fatal(err)
	}
	return kv
}

// MustFreeAddrs returns addresses on loopback that were free a moment ago.
func MustFreeAddrs(tb testing.TB, n int) []string {
	tb.Helper()
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// MustName returns an account's name.
func MustName(tb testing.TB, s string) codec.Name {
	tb.Helper()
	n, ok := codec.NameOf(s)
	if !ok {
		tb.Fatalf("%q is no name", s)
	}
	return n
}

// Log returns a logger whose lines are shown if the test fails.
func Log(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// LockedBuffer holds a log that is read while it is written.
type LockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (l *LockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written.
func (l *LockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
