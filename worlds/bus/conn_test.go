package bus_test

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
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
)

func TestConnect_FaultsNameTheSetting(t *testing.T) {
	t.Parallel()
	s, stranger := bustest.NewStage(t), bustest.MustAuthority(t)
	open := bustest.MustServer(t, busserver.Options{Dir: s.Authority.Dir(), Listen: "0.0.0.0:0", Store: t.TempDir()})
	here, creds := "nats://"+s.Options.Listen, s.CredsOf("login.eu1")
	noCA := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(noCA, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		options bus.Options
		is      error
		says    string
	}{
		{"no creds", bus.Options{URL: here, Creds: "nowhere.creds"}, os.ErrNotExist, "creds nowhere.creds"},
		{"foreign creds", bus.Options{URL: here, Creds: bustest.MustCreds(t, stranger, "login.eu1")}, bus.ErrRefused, "creds "},
		{"no url", bus.Options{Creds: creds}, nil, "url"},
		{"bad url", bus.Options{URL: "http://" + s.Options.Listen, Creds: creds}, nil, "url"},
		{"nobody", bus.Options{URL: "nats://127.0.0.1:1", Creds: creds, Demand: true}, bus.ErrNobodyThere, "url nats://127.0.0.1:1"},
		{"no encryption", bus.Options{URL: here, Creds: creds, CA: s.Authority.CA()}, bus.ErrNoTLS, "url"},
		{"no ca", bus.Options{URL: here, Creds: creds, CA: "nowhere.pem"}, os.ErrNotExist, "ca"},
		{"empty ca", bus.Options{URL: here, Creds: creds, CA: noCA}, nil, "ca"},
		{"unknown ca", bus.Options{URL: open.URL(), Creds: creds}, bus.ErrNoTLS, "ca"},
		{"other ca", bus.Options{URL: open.URL(), Creds: creds, CA: stranger.CA()}, bus.ErrNoTLS, "ca"},
	} {
		conn, err := bus.Connect(context.Background(), c.options)
		if err == nil {
			conn.Close()
			t.Errorf("%s: connected", c.name)
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	encrypted, err := bus.Connect(context.Background(), bus.Options{URL: open.URL(), Creds: creds, CA: s.Authority.CA()})
	if err != nil {
		t.Fatal(err)
	}
	if !encrypted.Up() || encrypted.Self() != "login.eu1" {
		t.Error(encrypted.Self(), encrypted.Up())
	}
	encrypted.Close()
}

func TestConnect_StartsWithoutTheBus(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := bustest.NewStage(t)
	creds := s.CredsOf("login.eu1")
	s.Server.Close()
	c, err := bus.Connect(context.Background(), bus.Options{URL: "nats://" + s.Options.Listen, Creds: creds})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ups := make(chan struct{}, 10)
	n, err := c.Node(bus.NodeOptions{Incarnation: 1, Deliver: func(e worlds.Event) {
		if e.Up {
			ups <- struct{}{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.Submit([]worlds.Effect{{AskSnapshot: true}, bustest.Announce("ALICE", 1, worlds.AnnounceFresh)})
	bustest.Eventually(t, "both are dropped", func() bool {
		st := c.Stats()
		return st.Dropped == 1 && st.DroppedAnnouncements == 1 && !st.Up
	})
	s.Restart()
	defer s.Server.Close()
	select {
	case <-ups:
	case <-time.After(bustest.Patience):
		t.Fatal("not up")
	}
}

func TestConnect_WithinOneProcess(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	c, err := bus.Connect(context.Background(), bus.Options{Server: s.Server, Creds: s.CredsOf("login.eu1"), Demand: true})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Up() {
		t.Error("not up")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Node(bus.NodeOptions{}); err == nil {
		t.Error("a closed connection has a node")
	}
	if _, err := c.BeatLogin(0, nil); err == nil {
		t.Error("a closed connection beats")
	}
}

func TestConnect_CancelledContext(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bus.Connect(ctx, bus.Options{URL: "nats://" + s.Options.Listen, Creds: s.CredsOf("login.eu1")}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
