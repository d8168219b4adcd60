package bus

import (
	"context"
	"errors"
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
				sleep(ctx, time.Millisecond)
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
	a := mustAuthority(t)
	var said lockedBuffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	s := mustServer(t, ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0", MaxConns: 300, Logger: log})
	early := mustJoin(t, s, mustCreds(t, a, "world.200"))
	opened := flood(t, s.Addr(), 4)
	eventually(t, "more strangers came than there are places", func() bool { return opened.Load() > 600 })
	for id := uint8(1); id <= 8; id++ {
		creds := mustCreds(t, a, worlds.WorldNode(id))
		c, err := Connect(context.Background(), Options{URL: s.URL(), Creds: creds, Logger: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		eventually(t, fmt.Sprint("world ", id, " is in"), c.Up)
	}
	if s.Strangers() == 0 {
		t.Error("no stranger was cut")
	}
	if err := early.Flush(); err != nil || early.Stats().Reconnects != 0 {
		t.Errorf("a node was cut: %v", err)
	}
	if text := said.String(); !strings.Contains(text, "did not prove who they are") || strings.Count(text, "\n") > 50 {
		t.Errorf("the log has %d lines:\n%.2000s", strings.Count(text, "\n"), text)
	}
}

// A stranger alone has little time, too.
func TestServer_StrangerIsCutSoon(t *testing.T) {
	t.Parallel()
	s := mustServer(t, ServerOptions{Dir: mustAuthority(t).Dir(), Listen: "127.0.0.1:0"})
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("it was not cut: %v", err)
	}
}

// A server that has no room, or says nothing, or hangs up, is not there yet: the node
// starts, and is connected when there is one. What is wrong is an error.
func TestConnect_NotThereYetIsNotWrong(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	creds := s.credsOf("login.eu1")
	const info = `INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"auth_required":true,"nonce":"abc","headers":true}` + "\r\n"
	for says, wrong := range map[string]bool{
		info + "-ERR 'maximum connections exceeded'\r\n":                false,
		info + "-ERR 'maximum account active connections exceeded'\r\n": false,
		info + "-ERR 'Authentication Timeout'\r\n":                      false,
		info + "-ERR 'Server Shutdown'\r\n":                             false,
		info + "-ERR 'Stale Connection'\r\n":                            false,
		info:                                                            false,
		"":                                                              false,
		"INFO {":                                                        false,
		info + "-ERR 'Authorization Violation'\r\n":                     true,
		info + "-ERR 'User Authentication Expired'\r\n":                 true,
		info + "-ERR 'User Authentication Revoked'\r\n":                 true,
		info + "-ERR 'Account Authentication Expired'\r\n":              true,
		"HTTP/1.1 400 Bad Request\r\n":                                  true,
	} {
		at := sayTo(t, says)
		conn, err := Connect(context.Background(), Options{URL: "nats://" + at, Creds: creds})
		if (err != nil) != wrong {
			t.Errorf("%q: %v", says, err)
		}
		if err == nil {
			conn.Close()
		}
		if _, err := Connect(context.Background(), Options{URL: "nats://" + at, Creds: creds, Demand: true}); err == nil || errors.Is(err, ErrNobodyThere) == wrong {
			t.Errorf("%q, on demand: %v", says, err)
		}
	}
}

// sayTo is where everybody who connects is told something and cut.
func sayTo(tb testing.TB, something string) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				_, _ = io.WriteString(c, something)
				if strings.HasPrefix(something, "INFO {\"") {
					_ = c.SetReadDeadline(time.Now().Add(patience))
					_, _ = c.Read(make([]byte, 4096)) // its CONNECT, so that nothing is reset
				}
			})
		}
	})
	tb.Cleanup(func() { l.Close(); running.Wait() })
	return l.Addr().String()
}
