package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gatepass/accounts"
	"gatepass/storage"
)

// post sends a request as it is and gives the reply: its status and its text.
func post(t *testing.T, path, command, body string) string {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, path) }}
	defer transport.CloseIdleConnections()
	reply, err := (&http.Client{Transport: transport}).Post("http://gatepass"+pathPrefix+command, "application/json", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprint(reply.StatusCode, " ", strings.TrimSpace(string(text)))
}

func TestListener_RefusesWhatIsNoRequest(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	weakPair := `"salt":"` + strings.Repeat("11", 32) + `","verifier":"` + strings.Repeat("00", 32) + `"`
	for _, c := range []struct{ command, body, want string }{
		{"account.show", "not json", `400 {"error":"protocol"}`},
		{"account.show", "", `400 {"error":"protocol"}`},
		{"account.show", `{"name":"a"`, `400 {"error":"protocol"}`}, // half a request is none
		{"account.show", `{"name":"a"}{}`, `400 {"error":"protocol"}`},
		{"account.batch", `{}`, `400 {"error":"protocol"}`},
		{"account.batch", ``, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.show"}`, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.show"}{"name":"a"`, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.show"}{"name":"a","name":"b"}`, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.show","name":"a"}{"name":"b"}`, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.batch"}{}`, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.show"}{"name":"a"}{"command":"login"}{"name":"a"}`, `400 {"error":"protocol"}`},
		{"account.batch", `{"command":"account.show"}{"name":"a"}{"command":"account.show"}{"name":"a:b"}`, `400 {"error":"invalid"}`},
		{"login", `{"name":"A"}`, `400 {"error":"protocol"}`},
		{"", `{"name":"A"}`, `400 {"error":"protocol"}`},
		{"account.show", `{}`, `400 {"error":"protocol"}`},
		{"account.show", `{"name":"a:b"}`, `400 {"error":"invalid"}`},
		{"account.add", `{"account":{"username":"A",` + weakPair + `}}`, `400 {"error":"invalid"}`},
		{"account.batch", strings.Repeat(`{"command":"account.list"}{}`, accounts.MaxOps+1), `400 {"error":"protocol"}`},
		{"account.factors", `{"name":"a"}`, `400 {"error":"protocol"}`},
		{"account.factors", `{}`, `400 {"error":"protocol"}`},
		{"account.factors", `{"account":{"username":"a","pin":"12"}}`, `400 {"error":"invalid"}`},
		{"address.ban", `{"address":"10.0.0.1/8","ban":{"forever":true}}`, `400 {"error":"protocol"}`},
		{"account.show", `{"name":"a"}`, `404 {"error":"not_found"}`},
		{"account.batch", `{"command":"account.show"}{"name":"a"}`, `200 {"item":0,"error":"not_found"}`},
		// What is misspelt, doubled or of no sane time changes nothing.
		{"account.ban", `{"name":"a","ban":{"untill":"2100-01-01T00:00:00Z"}}`, `400 {"error":"protocol"}`},
		{"account.ban", `{"name":"a","ban":{"forever":true},"bann":1}`, `400 {"error":"protocol"}`},
		{"account.ban", `{"name":"a","name":"b","ban":{"forever":true}}`, `400 {"error":"protocol"}`},
		{"account.ban", `{"name":"a","ban":{}}`, `400 {"error":"protocol"}`},
		{"account.ban", `{"name":"a"}`, `400 {"error":"protocol"}`},
		{"account.ban", `{"name":"a","ban":{"until":"1970-01-01T00:00:00Z"}}`, `400 {"error":"protocol"}`},
		{"account.ban", `{"name":"a","ban":{"until":"0001-01-01T00:00:00Z"}}`, `400 {"error":"invalid"}`},
		{"address.ban", `{"address":"10.0.0.0/8","ban":{"until":"9999-12-31T23:59:59Z"}}`, `400 {"error":"invalid"}`},
		{"account.batch", strings.Repeat(" ", maxRequest) + "{}", `413 {"error":"too_large"}`},
	} {
		if got := post(t, s.path, c.command, c.body); got != c.want {
			t.Errorf("%s %.70q: %s, want %s", c.command, c.body, got, c.want)
		}
	}
}

// Clients that spoke to older servers get a reply that they know for none of theirs, and
// say that the versions differ.
func TestListener_OlderClient(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	conn, err := dialSocket(t.Context(), s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, `{"v":2,"id":1,"ops":[{"op":"ban","name":"A","ban":{"forever":true,"reason":"gold selling again"}}]}`+"\n"); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 400 ") {
		t.Errorf("%q, %v", reply, err)
	}
}

// gate is a Store that tells when it was asked and answers when it may.
type gate struct {
	asked chan struct{}
	pass  chan struct{}
}

func newGate() *gate { return &gate{make(chan struct{}, 64), make(chan struct{})} }

func (g *gate) Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	g.asked <- struct{}{}
	select {
	case <-g.pass:
		return make([]storage.Result, len(ops)), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// list asks for something that the gate can answer.
func list(ctx context.Context, c *Client) error {
	_, err := c.Do(ctx, storage.Op{Kind: storage.OpList, Limit: 1})
	return err
}

func TestListener_ShutdownFinishesTheBatchAndTellsTheClients(t *testing.T) {
	g := newGate()
	s := startControl(t, accounts.New(g, testOptions()), SocketPath(t.TempDir()))
	busy, idle := mustDial(t, s.path), mustDial(t, s.path)
	half, err := dialSocket(t.Context(), s.path) // it must not hold up the end
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := io.WriteString(half, "POST /v1/account.show HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() { answer <- list(t.Context(), busy) }()
	<-g.asked
	s.stop()
	close(g.pass)
	if err := <-answer; err != nil {
		t.Errorf("the batch under way: %v", err)
	}
	s.shutdown()
	for name, c := range map[string]*Client{"busy": busy, "idle": idle} {
		if err := list(t.Context(), c); !errors.Is(err, ErrServerClosing) && !errors.Is(err, ErrDisconnected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestListener_ClientThatLeavesInABatch(t *testing.T) {
	g := newGate()
	s := startControl(t, accounts.New(g, testOptions()), SocketPath(t.TempDir()))
	c := mustDial(t, s.path)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- list(ctx, c) }()
	<-g.asked
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	c.Close()
	close(g.pass)
	// The next client is served all the same.
	if err := list(t.Context(), mustDial(t, s.path)); err != nil {
		t.Error(err)
	}
}

func TestListener_OneClientTooManyIsToldSo(t *testing.T) {
	g := newGate()
	s := startControl(t, accounts.New(g, testOptions()), SocketPath(t.TempDir()))
	for range maxClients {
		c := mustDial(t, s.path)
		go list(t.Context(), c)
		<-g.asked
	}
	if _, err := Dial(t.Context(), s.path); !errors.Is(err, ErrServerBusy) {
		t.Errorf("%v, want busy", err)
	}
	close(g.pass)
}

// An operator without the permission is refused, in a batch as well.
func TestHandler_Permission(t *testing.T) {
	h := newHandler(Services{Accounts: newTestManager(t)}, slog.New(slog.DiscardHandler))
	h.may = Allow(PermissionRead, PermissionBans)
	for _, c := range []struct{ command, body, want string }{
		{"account.unban", `{"name":"a"}`, `404 {"error":"not_found"}`},
		{"account.delete", `{"name":"a"}`, `403 {"error":"forbidden"}`},
		{"account.batch", `{"command":"account.unban"}{"name":"a"}`, `200 {"item":0,"error":"not_found"}`},
		{"account.batch", `{"command":"account.unban"}{"name":"a"}{"command":"account.delete"}{"name":"a"}`, `400 {"error":"forbidden"}`},
	} {
		if got := answer(h, c.command, c.body); got != c.want {
			t.Errorf("%s: %s, want %s", c.command, got, c.want)
		}
	}
}

func TestListen_ModeStaleAndForeignFiles(t *testing.T) {
	path := SocketPath(t.TempDir())
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	l, err := Listen(path)
	if err != nil {
		t.Fatalf("stale socket: %v", err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second server: %v", err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil {
		t.Error("a plain file was replaced")
	}
}

func TestListen_PathTooLongForASocketAddress(t *testing.T) {
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s := startControl(t, newTestManager(t), SocketPath(folder))
	if err := accounts.New(mustDial(t, s.path), testOptions()).Add(t.Context(), "A", "x"); err != nil {
		t.Error(err)
	}
	s.shutdown()
	if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// lostStore is a Store whose operations all fail in the same way.
type lostStore struct{ each error }

func (s lostStore) Do(_ context.Context, ops ...storage.Op) ([]storage.Result, error) {
	results := make([]storage.Result, len(ops))
	for i := range results {
		results[i].Err = s.each
	}
	return results, nil
}

// What the server's store says reaches the client as what it is: a read that fails, or a
// record that is damaged, is no failed write. The cause stays in the server's log.
func TestClient_FaultsAreNamed(t *testing.T) {
	const secret = "/secret/path"
	for _, c := range []struct {
		err, want error
		says      string
	}{
		{fmt.Errorf("%w: open %s: %w", storage.ErrReadFailed, secret, syscall.EIO), storage.ErrReadFailed, "input/output error"},
		{fmt.Errorf("%w: %s", storage.ErrReadFailed, secret), storage.ErrReadFailed, "cannot read"},
		{fmt.Errorf("%w: %s", storage.ErrUnreadable, secret), storage.ErrUnreadable, "store check"},
		{fmt.Errorf("%w: %s", storage.ErrCorrupt, secret), storage.ErrCorrupt, "corrupt"},
		{errors.New(secret), ErrServerFault, "its log"},
		{fmt.Errorf("%w: %s: %w", storage.ErrFailed, secret, syscall.EROFS), storage.ErrFailed, "read-only file system"},
	} {
		var log bytes.Buffer
		m := accounts.New(lostStore{c.err}, testOptions())
		l, err := Listen(SocketPath(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Serve(ctx, Services{Accounts: m}, slog.New(slog.NewTextHandler(&log, nil))) }()
		_, err = accounts.New(mustDial(t, l.path), testOptions()).Show(t.Context(), "EVE")
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v: the client is told: %v", c.err, err)
		}
		if write := errors.Is(c.want, storage.ErrFailed); errors.Is(err, storage.ErrFailed) != write || !write && strings.Contains(err.Error(), "write") {
			t.Errorf("%v: the client is told of a write: %v", c.err, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, secret) || !strings.Contains(text, "EVE") {
			t.Errorf("%v: the log has %q", c.err, text)
		}
	}
}

// A store that does not answer in time has not failed to write.
func TestErrorWord_ComesBack(t *testing.T) {
	for _, err := range []error{
		storage.ErrNotFound, storage.ErrNotBanned, storage.ErrExists, storage.ErrInvalid, storage.ErrCorrupt, storage.ErrUnreadable,
		storage.ErrReadFailed, storage.ErrFailed, ErrServerClosing, ErrServerBusy, ErrProtocol, ErrForbidden, ErrTooLarge, ErrServerSlow, ErrServerFault,
	} {
		sent := err
		if err == ErrServerSlow {
			sent = context.DeadlineExceeded
		}
		if back := wordError(errorWord(sent)); !errors.Is(back, err) || errors.Is(back, storage.ErrFailed) != (err == storage.ErrFailed) {
			t.Errorf("%v comes back as %v", err, back)
		}
	}
}
