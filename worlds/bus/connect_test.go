package bus_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
)

// A server that has no room, or says nothing, or hangs up, is not there yet: the node
// starts, and is connected when there is one. What is wrong is an error.
func TestConnect_NotThereYetIsNotWrong(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	creds := s.CredsOf("login.eu1")
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
		conn, err := bus.Connect(context.Background(), bus.Options{URL: "nats://" + at, Creds: creds})
		if (err != nil) != wrong {
			t.Errorf("%q: %v", says, err)
		}
		if err == nil {
			conn.Close()
		}
		if _, err := bus.Connect(context.Background(), bus.Options{URL: "nats://" + at, Creds: creds, Demand: true}); err == nil || errors.Is(err, bus.ErrNobodyThere) == wrong {
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
					_ = c.SetReadDeadline(time.Now().Add(bustest.Patience))
					_, _ = c.Read(make([]byte, 4096)) // its CONNECT, so that nothing is reset
				}
			})
		}
	})
	tb.Cleanup(func() { l.Close(); running.Wait() })
	return l.Addr().String()
}
