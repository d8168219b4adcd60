package admin

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/accounts"
	"gatepass/auth/srp6"
	"gatepass/auth/srp6a"
	"gatepass/storage"
	"gatepass/storage/pebble"
)

// testTime is the clock of all tests.
const testTime = 1_700_000_000

// testOptions make verifiers as cheap as clients accept them.
func testOptions() accounts.Options {
	return accounts.Options{
		Now: func() time.Time { return time.Unix(testTime, 0) }, Random: rand.NewChaCha8([32]byte{7}),
		Native: srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()},
	}
}

// openStore opens a real store in memory.
func openStore(t testing.TB, fs vfs.FS) *storage.Client {
	t.Helper()
	client, err := pebble.OpenClient(pebble.Options{Dir: "store", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newTestStore(t testing.TB) *storage.Client {
	t.Helper()
	client := openStore(t, vfs.NewMem())
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

func newTestManager(t testing.TB) *accounts.Manager {
	t.Helper()
	return accounts.New(newTestStore(t), testOptions())
}

// controlServer is a server's end of the socket under test.
type controlServer struct {
	path    string
	manager *accounts.Manager
	stop    context.CancelFunc
	done    chan error
}

func startControl(t *testing.T, m *accounts.Manager, path string) *controlServer {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s := &controlServer{path: path, manager: m, stop: stop, done: make(chan error, 1)}
	go func() { s.done <- l.Serve(ctx, Services{Accounts: m}, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(s.shutdown)
	return s
}

// shutdown ends Serve and waits for it. Idempotent.
func (s *controlServer) shutdown() {
	s.stop()
	s.done <- <-s.done
}

func mustDial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// through is a Manager that asks the given one over a socket.
func through(t *testing.T, server *accounts.Manager) *accounts.Manager {
	t.Helper()
	return accounts.New(mustDial(t, startControl(t, server, SocketPath(t.TempDir())).path), testOptions())
}

func nameOf(t testing.TB, text string) storage.Name {
	t.Helper()
	name, err := accounts.ParseName(text)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// mustShow reads an account that must be there.
func mustShow(t testing.TB, m *accounts.Manager, name string) *storage.Account {
	t.Helper()
	a, err := m.Show(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// tester is a testing.TB or a rapid.T.
type tester interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
}

// mustDo runs one operation that must go well.
func mustDo(t tester, s accounts.Store, op storage.Op) {
	t.Helper()
	results, err := s.Do(t.Context(), op)
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		t.Fatalf("%v: %v", op.Kind, err)
	}
}

// mustImport imports a text and gives the report and the bad rows.
func mustImport(t testing.TB, m *accounts.Manager, text string) (accounts.ImportReport, []accounts.BadRow) {
	t.Helper()
	var bad []accounts.BadRow
	o := accounts.ImportOptions{Workers: 2, OnBad: func(b accounts.BadRow) { bad = append(bad, b) }}
	plan, err := accounts.Look(t.Context(), strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	report, err := m.Import(t.Context(), plan)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return report, bad
}

func mustExport(t testing.TB, m *accounts.Manager, o accounts.ExportOptions) string {
	t.Helper()
	var out strings.Builder
	if _, err := m.Export(t.Context(), &out, o); err != nil {
		t.Fatalf("export: %v", err)
	}
	return out.String()
}

// opens tells whether the password makes the account's verifier.
func opens(a *storage.Account, password string) bool {
	salt := srp6.Salt(a.Grunt.Salt)
	return a.Grunt.Set && srp6.NewVerifier(&salt, a.Name.String(), password) == srp6.Verifier(a.Grunt.Verifier)
}

// opensNatively tells whether the password makes the account's native verifier.
func opensNatively(t testing.TB, a *storage.Account, password string) bool {
	t.Helper()
	v, err := srp6a.ParseVerifier(a.Others[accounts.ProtocolNative])
	if err != nil {
		t.Fatalf("%v: %v", a.Name, err)
	}
	again := srp6a.NewVerifier(v.Params(), &v.Salt, a.Name.String(), password)
	return bytes.Equal(again.V, v.V)
}

// device is one whose family and device begin with a byte.
func device(first byte) *storage.Device {
	d := &storage.Device{Name: "a laptop", Created: 10, Expires: testTime + 1, LastUsed: int64(first), LastAddr: netip.MustParseAddr("192.0.2.7")}
	for i := range d.Key {
		d.Key[i], d.Verifier[i] = 0xee, 0xdd
	}
	d.Family[0], d.Family[15], d.ID[0] = first, 1, ^first
	return d
}

func mustAddDevices(t testing.TB, m *accounts.Manager, name string, devices ...*storage.Device) {
	t.Helper()
	account := mustShow(t, m, name)
	for _, d := range devices {
		mustDo(t, m, storage.Op{Kind: storage.OpAddDevice, Name: account.Name, Device: d, Proven: account.Credentials()})
	}
}
