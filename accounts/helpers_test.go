package accounts

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/auth/srp6"
	"gatepass/auth/srp6a"
	"gatepass/storage"
	"gatepass/storage/pebble"
)

// testTime is the clock of all tests.
const testTime = 1_700_000_000

func testOptions() Options {
	return Options{Now: func() time.Time { return time.Unix(testTime, 0) }, Random: rand.NewChaCha8([32]byte{7}), Native: cheap()}
}

// cheap returns the weakest parameters that clients accept, so that tests are fast.
func cheap() srp6a.Params { return srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()} }

// opensNatively reports whether the password matches the account's native verifier.
func opensNatively(t testing.TB, a *storage.Account, password string) bool {
	t.Helper()
	v, err := srp6a.ParseVerifier(a.Others[ProtocolNative])
	if err != nil {
		t.Fatalf("%v: %v", a.Name, err)
	}
	again := srp6a.NewVerifier(v.Params(), &v.Salt, a.Name.String(), password)
	return bytes.Equal(again.V, v.V)
}

// openStore returns a real store in memory.
func openStore(t testing.TB) *storage.Client {
	t.Helper()
	client, err := pebble.OpenClient(pebble.Options{Dir: "store", FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

func newTestManager(t testing.TB) *Manager {
	t.Helper()
	return New(openStore(t), testOptions())
}

// mustImport imports a text and returns the report and the bad rows.
func mustImport(t testing.TB, m *Manager, text string, o ImportOptions) (ImportReport, []BadRow) {
	t.Helper()
	var bad []BadRow
	o.Workers, o.OnBad = 2, func(b BadRow) { bad = append(bad, b) }
	report, err := importFrom(t.Context(), m, strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return report, bad
}

// importFrom looks at a file and imports it.
func importFrom(ctx context.Context, m *Manager, in io.ReadSeeker, o ImportOptions) (ImportReport, error) {
	plan, err := Look(ctx, in, o)
	if err != nil {
		return ImportReport{}, err
	}
	return m.Import(ctx, plan)
}

func mustExport(t testing.TB, m *Manager, o ExportOptions) string {
	t.Helper()
	var out strings.Builder
	if _, err := m.Export(t.Context(), &out, o); err != nil {
		t.Fatalf("export: %v", err)
	}
	return out.String()
}

// mustShow returns an account that must exist.
func mustShow(t testing.TB, m *Manager, name string) *storage.Account {
	t.Helper()
	a, err := m.Show(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// opens reports whether the password matches the account's verifier.
func opens(a *storage.Account, password string) bool {
	salt := srp6.Salt(a.Grunt.Salt)
	return a.Grunt.Set && srp6.NewVerifier(&salt, a.Name.String(), password) == srp6.Verifier(a.Grunt.Verifier)
}

// mangosRow is a row of testdata/mangos_columns.tsv.
type mangosRow struct{ user, password, hash, s, v, salt, verifier string }

func mangosRows(t testing.TB) []mangosRow {
	t.Helper()
	text, err := os.ReadFile("testdata/mangos_columns.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []mangosRow
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) == 7 && line[0] != '#' {
			rows = append(rows, mangosRow{f[0], f[1], f[2], f[3], f[4], f[5], f[6]})
		}
	}
	if len(rows) == 0 {
		t.Fatal("no rows")
	}
	return rows
}

// swapped is a file whose content changes after Look has read it.
type swapped struct{ io.ReadSeeker }

// failing returns the rest of a file, and then an error instead of io.EOF.
type failing struct {
	io.ReadSeeker
	err error
}

func (r *failing) Read(p []byte) (int, error) {
	n, err := r.ReadSeeker.Read(p)
	if err == io.EOF {
		err = r.err
	}
	return n, err
}
