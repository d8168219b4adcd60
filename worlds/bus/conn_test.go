package bus

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/worlds"
)

func TestConnect_FaultsNameTheSetting(t *testing.T) {
	t.Parallel()
	s, stranger := newStage(t), mustAuthority(t)
	open := mustServer(t, ServerOptions{Dir: s.authority.Dir(), Listen: "0.0.0.0:0", Store: t.TempDir()})
	here, creds := "nats://"+s.options.Listen, s.credsOf("login.eu1")
	noCA := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(noCA, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		options Options
		is      error
		says    string
	}{
		{"no creds", Options{URL: here, Creds: "nowhere.creds"}, os.ErrNotExist, "creds nowhere.creds"},
		{"foreign creds", Options{URL: here, Creds: mustCreds(t, stranger, "login.eu1")}, ErrRefused, "creds "},
		{"no url", Options{Creds: creds}, nil, "url"},
		{"bad url", Options{URL: "http://" + s.options.Listen, Creds: creds}, nil, "url"},
		{"nobody", Options{URL: "nats://127.0.0.1:1", Creds: creds, Demand: true}, ErrNobodyThere, "url nats://127.0.0.1:1"},
		{"no encryption", Options{URL: here, Creds: creds, CA: s.authority.CA()}, ErrNoTLS, "url"},
		{"no ca", Options{URL: here, Creds: creds, CA: "nowhere.pem"}, os.ErrNotExist, "ca"},
		{"empty ca", Options{URL: here, Creds: creds, CA: noCA}, nil, "ca"},
		{"unknown ca", Options{URL: open.URL(), Creds: creds}, ErrNoTLS, "ca"},
		{"other ca", Options{URL: open.URL(), Creds: creds, CA: stranger.CA()}, ErrNoTLS, "ca"},
	} {
		conn, err := Connect(context.Background(), c.options)
		if err == nil {
			conn.Close()
			t.Errorf("%s: connected", c.name)
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	encrypted, err := Connect(context.Background(), Options{URL: open.URL(), Creds: creds, CA: s.authority.CA()})
	if err != nil {
		t.Fatal(err)
	}
	if !encrypted.Up() || encrypted.Self() != "login.eu1" {
		t.Error(encrypted.Self(), encrypted.Up())
	}
	encrypted.Close()
}

func TestDemandsTLS(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"nats://127.0.0.1:4222": false, "nats://[::1]:4222": false, "nats://localhost:4222": false,
		"tls://127.0.0.1:4222": true, "nats://10.0.0.1:4222": true, "nats://bus.example.org:4222": true,
		"nats://127.0.0.1:4222,nats://10.0.0.1:4222": true, "nats://localhost.example.org:4222": true,
	} {
		if got, err := demandsTLS(Options{URL: url}); got != want || err != nil {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
}

func TestConnect_StartsWithoutTheBus(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := newStage(t)
	creds := s.credsOf("login.eu1")
	s.server.Close()
	c, err := Connect(context.Background(), Options{URL: "nats://" + s.options.Listen, Creds: creds})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ups := make(chan struct{}, 10)
	n, err := c.Node(NodeOptions{Incarnation: 1, Deliver: func(e worlds.Event) {
		if e.Up {
			ups <- struct{}{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.Submit([]worlds.Effect{{AskSnapshot: true}, announce("ALICE", 1, worlds.AnnounceFresh)})
	eventually(t, "both are dropped", func() bool {
		st := c.Stats()
		return st.Dropped == 1 && st.DroppedAnnouncements == 1 && !st.Up
	})
	s.restart()
	defer s.server.Close()
	select {
	case <-ups:
	case <-time.After(patience):
		t.Fatal("not up")
	}
}

func TestConnect_WithinOneProcess(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c, err := Connect(context.Background(), Options{Server: s.server, Creds: s.credsOf("login.eu1"), Demand: true})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Up() {
		t.Error("not up")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Node(NodeOptions{}); err == nil {
		t.Error("a closed connection has a node")
	}
	if _, err := c.BeatLogin(0, nil); err == nil {
		t.Error("a closed connection beats")
	}
}

func TestConnect_CancelledContext(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Connect(ctx, Options{URL: "nats://" + s.options.Listen, Creds: s.credsOf("login.eu1")}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestRegistrar_SecondRegistrationAnnouncesAnew: a manager that wants one may
// have forgotten the world's keys.
func TestRegistrar_SecondRegistrationAnnouncesAnew(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{}).mustLead(t)
	world := s.correspond("world.7", 70)
	s.join(world.conn, testRegistration(7, 70))
	reg := s.connect("admin.a")
	eventually(t, "registered", func() bool {
		list, err := reg.Worlds(context.Background())
		return err == nil && len(list.Entries) == 1
	})
	// The manager's first pulse may have come before or after.
	eventually(t, "the epoch is known", func() bool { return world.count(isUp) >= 1 })
	before := world.count(isUp)
	if err := reg.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "up again", func() bool { return world.count(isUp) > before })
}

func TestBackoff_GrowsToItsBound(t *testing.T) {
	t.Parallel()
	for attempt := range 40 {
		got := backoff(attempt, time.Second, 8*time.Second)
		most := min(8*time.Second, time.Second<<min(attempt, 10))
		if got < most/2 || got > most {
			t.Errorf("attempt %d: %s", attempt, got)
		}
	}
}
