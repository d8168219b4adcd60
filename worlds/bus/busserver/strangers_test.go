package busserver_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/internal/retry"
)

// flood opens connections to an address without a word, as many at once as it gets,
// until the test ends. It returns how many it has opened.
func flood(tb testing.TB, addr string, at int) *atomic.Int64 {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var opened atomic.Int64
	var running sync.WaitGroup
	for range at {
		running.Go(func() {
			for ctx.Err() == nil {
				var dialer net.Dialer
				c, err := dialer.DialContext(ctx, "tcp", addr)
				if err != nil {
					continue
				}
				opened.Add(1)
				running.Go(func() {
					defer c.Close()
					defer context.AfterFunc(ctx, func() { c.Close() })()
					_, _ = io.Copy(io.Discard, c) // it holds the connection until it is cut
				})
				retry.Sleep(ctx, time.Millisecond)
			}
		})
	}
	tb.Cleanup(func() { stop(); running.Wait() })
	return &opened
}

// Strangers that hold connections without a word keep no node out, also where there are
// fewer places than they want, and no node that is in loses its place.
func TestServer_StrangersLeaveRoomForNodes(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	var said bustest.LockedBuffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0", MaxConns: 300, Logger: log})
	early := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "world.200"))
	opened := flood(t, s.Addr(), 4)
	bustest.Eventually(t, "more strangers came than there are places", func() bool { return opened.Load() > 600 })
	for id := uint8(1); id <= 8; id++ {
		creds := bustest.MustCreds(t, a, worlds.WorldNode(id))
		c, err := bus.Connect(context.Background(), bus.Options{URL: s.URL(), Creds: creds, Logger: bustest.Log(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		bustest.Eventually(t, fmt.Sprint("world ", id, " is in"), c.Up)
	}
	if s.Strangers() == 0 {
		t.Error("no stranger was cut")
	}
	if err := early.Flush(); err != nil || early.Stats().Reconnects != 0 {
		t.Errorf("a node was cut: %v", err)
	}
	if text := said.String(); !strings.Contains(text, "unauthenticated connections were closed") || strings.Count(text, "\n") > 50 {
		t.Errorf("the log has %d lines:\n%.2000s", strings.Count(text, "\n"), text)
	}
}

// A stranger alone has little time, too.
func TestServer_StrangerIsCutSoon(t *testing.T) {
	t.Parallel()
	s := bustest.MustServer(t, busserver.Options{Dir: bustest.MustAuthority(t).Dir(), Listen: "127.0.0.1:0"})
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(bustest.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("it was not cut: %v", err)
	}
}
