package accounts

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gatepass/storage"
)

// controlServer is a server's end of the socket under test.
type controlServer struct {
	path    string
	manager *Manager
	stop    context.CancelFunc
	done    chan error
}

func startControl(t *testing.T, m *Manager, path string) *controlServer {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &controlServer{path: path, manager: m, stop: stop, done: make(chan error, 1)}
	go func() { s.done <- l.Serve(ctx, m, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(s.shutdown)
	return s
}

// shutdown ends Serve and waits for it. Idempotent.
func (s *controlServer) shutdown() {
	s.stop()
	s.done <- <-s.done
}

func mustDial(t *testing.T, path string) *Remote {
	t.Helper()
	r, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRemote_EveryOperation(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	m := New(mustDial(t, s.path), testOptions())
	ctx := t.Context()
	prefix, err := ParsePrefix("2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	var secret *TOTPSecret
	steps := []struct {
		name string
		do   func() error
		want error
	}{
		{"add", func() error { return m.Add(ctx, "alice", "one") }, nil},
		{"add again", func() error { return m.Add(ctx, "alice", "one") }, storage.ErrExists},
		{"passwd", func() error { return m.SetPassword(ctx, "alice", "two") }, nil},
		{"PIN", func() error { _, err := m.SetPIN(ctx, "alice", "0123"); return err }, nil},
		{"token", func() (err error) { secret, _, err = m.SetTOTP(ctx, "alice"); return err }, nil},
		{"token of nobody", func() error { _, _, err := m.SetTOTP(ctx, "nobody"); return err }, storage.ErrNotFound},
		{"ban", func() error { return m.Ban(ctx, "alice", Sentence{Forever: true, Reason: "r"}) }, nil},
		{"ban nobody", func() error { return m.Ban(ctx, "nobody", Sentence{Forever: true}) }, storage.ErrNotFound},
		{"ban address", func() error { return m.BanAddress(ctx, prefix, Sentence{Forever: true, Reason: "r"}) }, nil},
	}
	for _, step := range steps {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
	a := mustShow(t, m, "alice")
	if !opens(a, "two") || !a.Ban.Set || a.Ban.Reason != "r" || a.Created != testTime {
		t.Errorf("account %+v", a)
	}
	if a.PIN != "0123" || !bytes.Equal(a.TOTPSecret, secret.raw[:]) {
		t.Error("the factors are not as they were set")
	}
	if bans, err := m.AddressBans(ctx); err != nil || len(bans) != 1 || bans[0].Prefix != prefix || bans[0].Ban.Reason != "r" {
		t.Errorf("address bans %v, %v", bans, err)
	}
	for name, err := range map[string]error{
		"unban": m.Unban(ctx, "alice"), "unban address": m.UnbanAddress(ctx, prefix), "delete": m.Delete(ctx, "alice"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := m.UnbanAddress(ctx, prefix); !errors.Is(err, storage.ErrNotBanned) {
		t.Errorf("second unban of an address: %v", err)
	}
	if _, err := m.Show(ctx, "alice"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("show after delete: %v", err)
	}
}

func TestRemote_ImportAndExportAreTheSameAsLocal(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	m := New(mustDial(t, s.path), testOptions())
	var text strings.Builder
	text.WriteString("username,password\n")
	for i := range 3 * batchRows / 2 {
		fmt.Fprintf(&text, "P%d,x\n", i)
	}
	report, bad := mustImport(t, m, text.String(), ImportOptions{})
	if report.Added != 3*batchRows/2 || bad != nil {
		t.Errorf("%+v, %v", report, bad)
	}
	for _, format := range []Format{FormatCSV, FormatNDJSON} {
		o := ExportOptions{Format: format}
		if mustExport(t, m, o) != mustExport(t, s.manager, o) {
			t.Errorf("format %d: the export differs from the server's", format)
		}
	}
}

func TestRemote_SplitsRequestsThatAreTooLarge(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	remote := mustDial(t, s.path)
	big := make([]byte, storage.MaxOther)
	ops := make([]storage.Op, 300)
	for i := range ops {
		name, err := ParseName(fmt.Sprintf("P%04d", i))
		if err != nil {
			t.Fatal(err)
		}
		ops[i] = storage.Op{Kind: storage.OpCreate, Name: name, Tag: uint64(i), Account: &storage.Account{Name: name, Others: map[string][]byte{"later": big}}}
	}
	results, err := remote.Do(t.Context(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil || r.Name != ops[i].Name || r.Tag != uint64(i) {
			t.Fatalf("result %d: %v of %s", i, r.Err, r.Name)
		}
	}
	// A page of such accounts is cut short by the server and goes on.
	count := 0
	for _, err := range New(remote, testOptions()).All(t.Context(), storage.Name{}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != len(ops) {
		t.Errorf("listed %d accounts of %d", count, len(ops))
	}
}

// exchange sends raw text and gives the server's last line.
func exchange(t *testing.T, path, text string) string {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() {
		io.WriteString(conn, text)
		conn.(*net.UnixConn).CloseWrite()
	}()
	reply, _ := io.ReadAll(conn)
	return strings.TrimSpace(string(reply))
}

func TestListener_RefusesWhatIsNoRequest(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	long := `{"v":1,"id":1,"ops":[` + strings.Repeat(" ", maxWireLine) + "]}\n"
	weakPair := `"salt":"` + strings.Repeat("11", 32) + `","verifier":"` + strings.Repeat("00", 32) + `"`
	for text, want := range map[string]string{
		"not json\n":                                              `{"v":2,"id":0,"error":"protocol"}`,
		`{"v":1,"id":1}` + "\n":                                   `{"v":1,"id":1,"error":"protocol"}`,
		`{"v":3,"id":1,"ops":[]}` + "\n":                          `{"v":2,"id":1,"error":"protocol"}`,
		`{"v":1,"id":2,"ops":[{}]}`:                               ``, // half a request is none
		`{"v":1,"id":2,"ops":[{}]}` + "\n":                        `{"v":1,"id":2,"error":"protocol"}`,
		`{"v":1,"id":3,"ops":[{"op":"login","name":"A"}]}` + "\n": `{"v":1,"id":3,"error":"protocol"}`,
		`{"v":1,"id":4,"ops":[{"op":"get"}]}` + "\n":              `{"v":1,"id":4,"error":"protocol"}`,
		`{"v":1,"id":5,"ops":[{"op":"get","name":"a:b"}]}` + "\n": `{"v":1,"id":5,"error":"invalid"}`,
		`{"v":1,"id":6,"ops":[{"op":"create","account":{"username":"A",` + weakPair + `}}]}` + "\n":        `{"v":1,"id":6,"error":"invalid"}`,
		`{"v":1,"id":7,"ops":[` + strings.Repeat(`{"op":"list"},`, maxOps) + `{"op":"list"}]}` + "\n":      `{"v":1,"id":7,"error":"protocol"}`,
		`{"v":1,"id":8,"ops":[{"op":"set-factors","name":"a"}]}` + "\n":                                    `{"v":1,"id":8,"error":"protocol"}`,
		`{"v":1,"id":8,"ops":[{"op":"set-factors","account":{"username":"a","pin":"12"}}]}` + "\n":         `{"v":1,"id":8,"error":"invalid"}`,
		`{"v":1,"id":8,"ops":[{"op":"ban-address","address":"10.0.0.1/8","ban":{"forever":true}}]}` + "\n": `{"v":1,"id":8,"error":"protocol"}`,
		`{"v":1,"id":9,"ops":[{"op":"get","name":"a"}]}` + "\n":                                            `{"v":1,"id":9,"results":[{"error":"not_found"}]}`,
		// What is misspelt, doubled or of no sane time changes nothing.
		`{"v":2,"id":10,"ops":[{"op":"ban","name":"a","ban":{"untill":"2100-01-01T00:00:00Z"}}]}` + "\n":                    `{"v":2,"id":0,"error":"protocol"}`,
		`{"v":2,"id":11,"ops":[{"op":"ban","name":"a","ban":{"forever":true},"bann":1}]}` + "\n":                            `{"v":2,"id":0,"error":"protocol"}`,
		`{"v":2,"id":12,"ops":[{"op":"ban","name":"a","name":"b","ban":{"forever":true}}]}` + "\n":                          `{"v":2,"id":0,"error":"protocol"}`,
		`{"v":2,"id":13,"ops":[{"op":"ban","name":"a","ban":{}}]}` + "\n":                                                   `{"v":2,"id":0,"error":"protocol"}`,
		`{"v":2,"id":14,"ops":[{"op":"ban","name":"a","ban":{"until":"1970-01-01T00:00:00Z"}}]}` + "\n":                     `{"v":2,"id":0,"error":"protocol"}`,
		`{"v":2,"id":15,"ops":[{"op":"ban","name":"a","ban":{"until":"0001-01-01T00:00:00Z"}}]}` + "\n":                     `{"v":2,"id":15,"error":"invalid"}`,
		`{"v":2,"id":16,"ops":[{"op":"ban-address","address":"10.0.0.0/8","ban":{"until":"9999-12-31T23:59:59Z"}}]}` + "\n": `{"v":2,"id":16,"error":"invalid"}`,
		long: `{"v":2,"id":0,"error":"too_large"}`,
	} {
		if got := exchange(t, s.path, text); got != want {
			t.Errorf("%.70q: %s, want %s", text, got, want)
		}
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

func TestListener_ShutdownFinishesTheBatchAndTellsTheClients(t *testing.T) {
	g := newGate()
	s := startControl(t, New(g, testOptions()), SocketPath(t.TempDir()))
	busy, idle := mustDial(t, s.path), mustDial(t, s.path)
	answer := make(chan error, 1)
	go func() {
		_, err := busy.Do(t.Context(), storage.Op{Kind: storage.OpList, Limit: 1})
		answer <- err
	}()
	<-g.asked
	s.stop()
	close(g.pass)
	if err := <-answer; err != nil {
		t.Errorf("the batch under way: %v", err)
	}
	s.shutdown()
	for name, r := range map[string]*Remote{"busy": busy, "idle": idle} {
		_, err := r.Do(t.Context(), storage.Op{Kind: storage.OpList, Limit: 1})
		// A client that was not accepted yet finds nobody.
		if !errors.Is(err, ErrServerClosing) && !errors.Is(err, ErrDisconnected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestListener_ClientThatLeavesInABatch(t *testing.T) {
	g := newGate()
	s := startControl(t, New(g, testOptions()), SocketPath(t.TempDir()))
	r := mustDial(t, s.path)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() {
		_, err := r.Do(ctx, storage.Op{Kind: storage.OpList, Limit: 1})
		answer <- err
	}()
	<-g.asked
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	r.Close()
	close(g.pass)
	// The next client is served all the same.
	if _, err := mustDial(t, s.path).Do(t.Context(), storage.Op{Kind: storage.OpList, Limit: 1}); err != nil {
		t.Error(err)
	}
}

func TestListener_OneClientTooManyIsToldSo(t *testing.T) {
	g := newGate()
	s := startControl(t, New(g, testOptions()), SocketPath(t.TempDir()))
	for range maxClients {
		r := mustDial(t, s.path)
		go r.Do(t.Context(), storage.Op{Kind: storage.OpList, Limit: 1})
		<-g.asked
	}
	_, err := mustDial(t, s.path).Do(t.Context(), storage.Op{Kind: storage.OpList, Limit: 1})
	if !errors.Is(err, ErrServerBusy) {
		t.Errorf("%v, want busy", err)
	}
	close(g.pass)
}

func TestRemote_ServerThatTalksNonsense(t *testing.T) {
	for reply, want := range map[string]error{
		"":                                   ErrDisconnected,
		"{":                                  ErrDisconnected,
		"hello\n":                            ErrProtocol,
		`{"v":1,"id":1}` + "\n":              ErrProtocol,
		`{"v":2,"id":9,"results":[]}` + "\n": ErrProtocol,
		`{"v":2,"id":1,"results":[]}` + "\n": ErrProtocol,
		`{"v":2,"id":1,"results":[{"account":{"username":"a:b"}}]}` + "\n": storage.ErrName,
		`{"v":2,"id":1,"error":"failed"}` + "\n":                           storage.ErrFailed,
		`{"v":2,"id":1,"error":"new word"}` + "\n":                         ErrProtocol,
	} {
		path := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err == nil {
				bufio.NewReader(conn).ReadString('\n')
				io.WriteString(conn, reply)
				conn.Close()
			}
		}()
		if _, err := mustDial(t, path).Do(t.Context(), storage.Op{Kind: storage.OpGet}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", reply, err, want)
		}
		l.Close()
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
	if err := New(mustDial(t, s.path), testOptions()).Add(t.Context(), "A", "x"); err != nil {
		t.Error(err)
	}
	s.shutdown()
	if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// requests are what a client may send, right and wrong.
var requests = []string{
	`{"v":1,"id":1,"ops":[{"op":"list","limit":-5}]}`,
	`{"v":1,"id":1,"ops":[{"op":"list","name":"A","limit":5}]}`,
	`{"v":1,"id":1,"ops":[{"op":"create","account":{"username":"A"}}]}`,
	`{"v":1,"id":1,"ops":[{"op":"create","account":{"username":"B","salt":"` + strings.Repeat("5A", 32) + `","verifier":"` + strings.Repeat("5B", 32) + `"}}]}`,
	`{"v":1,"id":1,"ops":[{"op":"ban","name":"A","ban":{"until":"0000-01-01T00:00:00Z"}}]}`,
	`{"v":2,"id":2,"ops":[{"op":"ban-address","address":"10.0.0.0/8","ban":{"reason":"x"}},{"op":"address-bans"},{"op":"get","name":"A"}]}`,
	`{"v":2,"id":3,"ops":[{"op":"remove-device","name":"A","family":"` + strings.Repeat("00", 16) + `"},{"op":"devices","name":"A"}]}`,
	`{"v":2,"id":4,"ops":[{"op":"delete","name":"A"},{"op":"unban","name":"A"}]}`,
	`{"v":9,"id":1,"ops":[]}`, `{"v":1,"id":1,"ops":[{"op":"login","name":"A"}]}`, `[]`, `{"v":1`, ``,
}

// cannedStore answers every operation with all that a result can hold, and changes
// nothing: the same request always takes the same way.
type cannedStore struct{ accounts []storage.Account }

func (s *cannedStore) Do(_ context.Context, ops ...storage.Op) ([]storage.Result, error) {
	results := make([]storage.Result, len(ops))
	for i := range ops {
		results[i] = storage.Result{
			Kind: ops[i].Kind, Tag: ops[i].Tag, Name: ops[i].Name, Account: &s.accounts[0], Accounts: s.accounts,
			AddressBans: []storage.AddressBan{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}, Devices: []storage.Device{{}},
		}
	}
	return results, nil
}

// answering answers lines over one pair of sockets.
type answering struct {
	client  *client
	replies *bufio.Reader
}

func newAnswering(t testing.TB, m *Manager) *answering {
	here, there := socketPair(t)
	return &answering{&client{conn: here, manager: m, logger: slog.New(slog.DiscardHandler)}, bufio.NewReader(there)}
}

// mustAnswer wants one reply to a line.
func (a *answering) mustAnswer(t testing.TB, line []byte) {
	t.Helper()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a.client.answer(t.Context(), line)
	}()
	reply, err := readLine(a.replies, maxReplyLine)
	<-answered
	if err != nil || !strings.HasPrefix(string(reply), `{"v":1,"id":`) && !strings.HasPrefix(string(reply), `{"v":2,"id":`) {
		t.Errorf("%q: %s, %v", line, reply, err)
	}
}

func TestListenerAnswer_EveryRequestHasOneReply(t *testing.T) {
	a := newAnswering(t, newTestManager(t))
	for _, line := range requests {
		a.mustAnswer(t, []byte(line))
	}
}

// FuzzListenerAnswer has no store behind it: a store works in the background, so that
// one request covers other code each time, and the fuzzer follows up what it did not do.
func FuzzListenerAnswer(f *testing.F) {
	for _, line := range requests {
		f.Add([]byte(line))
	}
	store := new(cannedStore)
	for _, text := range []string{"A", "B"} {
		name, err := ParseName(text)
		if err != nil {
			f.Fatal(err)
		}
		store.accounts = append(store.accounts, storage.Account{Name: name})
	}
	a := newAnswering(f, New(store, testOptions()))
	f.Fuzz(func(t *testing.T, line []byte) { a.mustAnswer(t, line) })
}

// socketPair connects two ends.
func socketPair(t testing.TB) (here, there *net.UnixConn) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "p"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if there, err = dialSocket(t.Context(), l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if here, err = l.AcceptUnix(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// What the server's store says reaches the client as what it is: a read that fails, or a
// record that is damaged, is no failed write. The cause stays in the server's log.
func TestRemote_FaultsAreNamed(t *testing.T) {
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
		m := New(lostStore{each: c.err}, testOptions())
		l, err := Listen(SocketPath(t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Serve(ctx, m, slog.New(slog.NewTextHandler(&log, nil))) }()
		_, err = New(mustDial(t, l.path), testOptions()).Show(t.Context(), "EVE")
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
		storage.ErrReadFailed, storage.ErrFailed, ErrServerClosing, ErrServerBusy, ErrProtocol, ErrTooLarge, ErrServerSlow, ErrServerFault,
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
