package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"gatepass/accounts"
	"gatepass/storage"
)

// Only the server's own user and root are answered, whoever could open the socket.
func TestListener_RefusesOtherUsers(t *testing.T) {
	other := errors.New("no credentials")
	for name, c := range map[string]struct {
		uid    uint32
		err    error
		served bool
	}{
		"root":           {0, nil, true},
		"its own user":   {uint32(os.Geteuid()), nil, true},
		"another user":   {uint32(os.Geteuid()) + 7, nil, false},
		"nobody can say": {0, other, false},
	} {
		l, err := Listen(SocketPath(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		l.peer = func(*net.UnixConn) (uint32, error) { return c.uid, c.err }
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Serve(ctx, Services{Accounts: newTestManager(t)}, slog.New(slog.DiscardHandler)) }()
		client, err := Dial(t.Context(), l.path)
		if err == nil {
			_, err = accounts.New(client, testOptions()).List(t.Context(), storage.Name{}, 1)
			client.Close()
		}
		if served := err == nil; served != c.served {
			t.Errorf("%s: %v", name, err)
		}
		stop()
		<-done
	}
}

// A client that has gone leaves its seat to the next one.
func TestListener_SeatsAreGivenBack(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	for i := range 3 * maxClients {
		var r *Client
		var err error
		// A seat is free a moment after its client has gone: more than one client at a
		// time is never there.
		for end := time.Now().Add(10 * time.Second); ; {
			if r, err = Dial(t.Context(), s.path); !errors.Is(err, ErrServerBusy) || time.Now().After(end) {
				break
			}
		}
		if err == nil {
			_, err = accounts.New(r, testOptions()).List(t.Context(), storage.Name{}, 1)
		}
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		r.Close()
	}
}
