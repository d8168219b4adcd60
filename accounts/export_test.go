package accounts

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// An export that is imported into an empty store exports to the same bytes. The
// accounts are equal in every field that the format has.
func TestExport_RoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		accounts := rapid.SliceOfNDistinct(rapid.Custom(drawAccount), 0, 8, func(a storage.Account) storage.Name { return a.Name }).Draw(rt, "accounts")
		format := rapid.SampledFrom([]Format{FormatCSV, FormatNDJSON}).Draw(rt, "format")
		columns := rapid.SampledFrom([]Columns{ColumnsTrinity, ColumnsMangos}).Draw(rt, "columns")
		o := ExportOptions{Format: format, Columns: columns}
		first, second := newTestManager(t), newTestManager(t)
		for i := range accounts {
			if _, err := first.one(t.Context(), storage.Op{Kind: storage.OpCreate, Name: accounts[i].Name, Account: &accounts[i]}); err != nil {
				rt.Fatal(err)
			}
		}
		text := mustExport(t, first, o)
		report, bad := mustImport(t, second, text, ImportOptions{Format: format})
		if bad != nil || report.Added != len(accounts) {
			rt.Fatalf("%+v, %v", report, bad)
		}
		if again := mustExport(t, second, o); again != text {
			rt.Fatalf("exported\n%s\nthen\n%s", text, again)
		}
		// The NDJSON export shows every difference between two stores.
		full := ExportOptions{Format: FormatNDJSON}
		if a, b := mustExport(t, first, full), mustExport(t, second, full); format == FormatNDJSON && a != b {
			rt.Fatalf("stored\n%s\nthen\n%s", a, b)
		}
	})
}

// drawAccount returns a random account as storage keeps it.
func drawAccount(t *rapid.T) storage.Account {
	raw := rapid.StringMatching(`[!-9;-~]([ -9;-~]{0,14}[!-9;-~])?`).Draw(t, "name")
	name, err := storage.FoldName(raw)
	if err != nil {
		t.Fatalf("name %q: %v", raw, err)
	}
	seconds := rapid.Int64Range(1, 4_000_000_000)
	a := storage.Account{
		Name: name, Created: seconds.Draw(t, "created"),
		Grunt: gruntVerifier((*[32]byte)(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt")), name, "x"),
		PIN:   rapid.StringMatching(`([0-9]{4,10})?`).Draw(t, "pin"),
		Login: storage.LoginRecord{LastLogin: seconds.Draw(t, "login"), LastAddr: netip.MustParseAddr("192.0.2.7"), Failed: rapid.Uint32().Draw(t, "failed")},
	}
	if rapid.Bool().Draw(t, "banned") {
		a.Ban = storage.Ban{Set: true, Since: seconds.Draw(t, "since"), Until: seconds.Draw(t, "until"), Reason: "a \"reason\", <b> & ž"}
	}
	if rapid.Bool().Draw(t, "other") {
		a.Others = map[string][]byte{"later": rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "later"), ProtocolNative: drawNative(t)}
		a.TOTPSecret = rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "totp")
	}
	return a
}

// drawNative returns a random native verifier. Any salt is valid with any V.
func drawNative(t *rapid.T) []byte {
	raw := anyNative()
	copy(raw[9:41], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "native salt"))
	return raw
}

// anyNative returns a native verifier as it is stored, with V = 4.
func anyNative() []byte {
	v := srp6a.Verifier{Group: cheap().Group, KDF: cheap().KDF, Salt: [32]byte{5}, V: make([]byte, cheap().Group.Size())}
	v.V[len(v.V)-1] = 4
	return v.Append(nil)
}

func TestExport_SortedWithHeader(t *testing.T) {
	m := newTestManager(t)
	for _, name := range []string{"zed", "adam", "m,x"} {
		if err := m.Add(t.Context(), name, "p"); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(mustExport(t, m, ExportOptions{Format: FormatCSV, Columns: ColumnsMangos}), "\n")
	var begins []string
	for _, line := range lines {
		begins = append(begins, line[:min(5, len(line))])
	}
	if want := []string{"usern", "ADAM,", `"M,X"`, "ZED,", ""}; len(begins) != len(want) || !strings.HasPrefix(begins[3], "ZED,") || !slices.Equal(begins[:3], want[:3]) {
		t.Errorf("lines begin with %q", begins)
	}
}

func TestExport_AccountWithoutGruntVerifierIsCounted(t *testing.T) {
	m := newTestManager(t)
	mustImport(t, m, `{"username":"A","others":{"later":"00ff"}}`, ImportOptions{})
	var out strings.Builder
	report, err := m.Export(t.Context(), &out, ExportOptions{Format: FormatCSV})
	if err != nil || report != (ExportReport{Accounts: 1, NoVerifier: 1}) || !strings.HasSuffix(out.String(), "\nA,,\n") {
		t.Errorf("%+v, %v\n%s", report, err, out.String())
	}
}

// fullDisk fails every write.
type fullDisk struct{}

var errDiskFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errDiskFull }

func TestExport_WriteErrorIsTold(t *testing.T) {
	for _, format := range []Format{FormatCSV, FormatNDJSON} {
		m := newTestManager(t)
		if err := m.Add(t.Context(), "A", "p"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Export(t.Context(), fullDisk{}, ExportOptions{Format: format}); !errors.Is(err, errDiskFull) {
			t.Errorf("format %d: %v", format, err)
		}
	}
}

func TestSummarize_HoldsNoSecret(t *testing.T) {
	m := newTestManager(t)
	mustImport(t, m, `{"username":"A","password":"p","pin":"7295","totp_secret":"c0ffee","ban":{"forever":true}}`, ImportOptions{})
	a := mustShow(t, m, "A")
	line := string(appendLine(nil, Summarize(a, testTime)))
	for _, secret := range []string{"7295", "c0ffee", trinityHex(a.Grunt.Verifier)} {
		if strings.Contains(line, secret) {
			t.Errorf("%s is in %s", secret, line)
		}
	}
	if !strings.Contains(line, `"banned":true`) || !strings.Contains(line, `"totp":true`) || !strings.Contains(line, `["grunt"]`) {
		t.Errorf("summary %s", line)
	}
}
