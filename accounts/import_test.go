package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gatepass/storage"
)

func TestImport_BadRowsAreToldAndTheRestGoesIn(t *testing.T) {
	const text = "\ufeffUserName, Password ,note\r\n" +
		"alice,secret1,x\r\n" + // 2
		"bad:name,p,x\r\n" + // 3
		"carl,\"a,b\"\"c\",x\r\n" + // 4
		"dora,,x\r\n" + // 5
		"\r\n" +
		"emil,hunter2\r\n" + // 7: a field is missing
		"fred,\"open,x\r\n" + // 8
		"gus,seventeen-letters,x\r\n" + // 9
		"hans,p\"q,x\r\n" + // 10
		"ALICE,secret2,x\r\n" + // 11
		"ivy,\"a\"b,x\r\n" + // 12
		"last,p,x"
	m := newTestManager(t)
	report, bad := mustImport(t, m, text, ImportOptions{})
	var lines []int
	for _, b := range bad {
		lines = append(lines, b.Line)
		for _, secret := range []string{"hunter2", "seventeen", "secret2", "open"} {
			if strings.Contains(b.Reason.Error(), secret) {
				t.Errorf("line %d shows a secret: %v", b.Line, b.Reason)
			}
		}
	}
	if want := []int{3, 5, 7, 8, 9, 11, 12}; !slices.Equal(lines, want) {
		t.Errorf("bad lines %v, want %v", lines, want)
	}
	if report.Added != 4 || report.Failed != 7 || report.Bytes != int64(len(text)) {
		t.Errorf("report %+v", report)
	}
	for name, password := range map[string]string{"alice": "secret1", "carl": `a,b"c`, "hans": `p"q`, "last": "p"} {
		if !opens(mustShow(t, m, name), password) {
			t.Errorf("%s has another password", name)
		}
	}
}

func TestImport_ModesForExistingAccounts(t *testing.T) {
	const first, second = "username,password\nA,old\n", "username,password\nA,new\nB,x\nB,y\n"
	for _, c := range []struct {
		mode     PutMode
		want     ImportReport
		password [2]string
	}{
		{PutNew, ImportReport{Added: 1, Failed: 2}, [2]string{"old", "x"}},
		{PutSkip, ImportReport{Added: 1, Skipped: 1, Failed: 1}, [2]string{"old", "x"}},
		{PutUpdate, ImportReport{Added: 1, Updated: 1, Failed: 1}, [2]string{"new", "x"}},
	} {
		m := newTestManager(t)
		mustImport(t, m, first, ImportOptions{})
		if err := m.Ban(t.Context(), "A", Sentence{Forever: true}); err != nil {
			t.Fatal(err)
		}
		report, bad := mustImport(t, m, second, ImportOptions{Mode: c.mode})
		c.want.Bytes = int64(len(second))
		if fmt.Sprint(report) != fmt.Sprint(c.want) {
			t.Errorf("mode %d: %+v, want %+v", c.mode, report, c.want)
		}
		for _, b := range bad {
			if !errors.Is(b.Reason, storage.ErrExists) {
				t.Errorf("mode %d: line %d: %v", c.mode, b.Line, b.Reason)
			}
		}
		a := mustShow(t, m, "A")
		if !opens(a, c.password[0]) || !opens(mustShow(t, m, "B"), c.password[1]) || !a.Ban.Set {
			t.Errorf("mode %d: another password, or the ban is gone", c.mode)
		}
	}
}

// mangos uses s and v only if both have 64 digits. Otherwise it computes new ones from
// the hash.
func TestImport_MangosColumns(t *testing.T) {
	for _, layout := range []string{"s,v", "sha_pass_hash", "sha_pass_hash,s,v", "s,v,sha_pass_hash"} {
		m := newTestManager(t)
		var text strings.Builder
		text.WriteString("id,username," + layout + "\n")
		for i, row := range mangosRows(t) {
			columns := map[string]string{"s": row.s, "v": row.v, "sha_pass_hash": row.hash}
			switch {
			case layout == "s,v,sha_pass_hash" && i%2 == 0:
				columns["s"], columns["v"] = "0", "0" // after "account set password"
			case layout == "s,v,sha_pass_hash":
				columns["s"], columns["v"] = "NULL", ""
			}
			fmt.Fprintf(&text, "%d,%s", i, row.user)
			for _, name := range strings.Split(layout, ",") {
				text.WriteString("," + columns[name])
			}
			text.WriteString("\n")
		}
		if _, bad := mustImport(t, m, text.String(), ImportOptions{}); bad != nil {
			t.Errorf("%s: %v", layout, bad)
			continue
		}
		for _, row := range mangosRows(t) {
			if !opens(mustShow(t, m, row.user), row.password) {
				t.Errorf("%s: the password of %s does not open it", layout, row.user)
			}
		}
	}
}

func TestImport_TSVAndNDJSON(t *testing.T) {
	row := mangosRows(t)[0]
	for name, text := range map[string]string{
		"tsv":    "username\tsalt\tverifier\n" + row.user + "\t" + row.salt + "\t0x" + row.verifier + "\n",
		"ndjson": `{"USERNAME":"` + row.user + `","password":"` + row.password + `"}`,
		"csv":    "salt,verifier,username\n0X" + row.salt + "," + row.verifier + "," + row.user,
	} {
		m := newTestManager(t)
		if _, bad := mustImport(t, m, text, ImportOptions{}); bad != nil || !opens(mustShow(t, m, row.user), row.password) {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func TestImport_NDJSON_BadLines(t *testing.T) {
	const text = `{"username":"A","password":"hunter2"}
{"username":"B","password":12345}
{"username":"C","password":"p","colour":"red"
["D"]
{"username":"E"}
{"username":"F","salt":"00"}
{"username":"G","password":"p","created":"yesterday"}
{"username":"H","password":"p","colour":"red","pin":"12"}
{"username":"I","password":"p","colour":"red","shape":{"a":1}}
{"username":"J","password":"p","PASSWORD":"hunter2"}
`
	report, bad := mustImport(t, newTestManager(t), text, ImportOptions{})
	var lines []int
	for _, b := range bad {
		lines = append(lines, b.Line)
		if strings.Contains(b.Reason.Error(), "12345") {
			t.Errorf("line %d shows a value: %v", b.Line, b.Reason)
		}
	}
	if want := []int{2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(lines, want) || report.Added != 1 {
		t.Errorf("bad lines %v, want %v; %+v", lines, want, report)
	}
}

func TestImport_LongLineIsOneBadRow(t *testing.T) {
	text := "username,password\nA,p\nB," + strings.Repeat("x", MaxImportLine) + "\nC,p\n"
	report, bad := mustImport(t, newTestManager(t), text, ImportOptions{})
	if report.Added != 2 || len(bad) != 1 || bad[0].Line != 3 || !errors.Is(bad[0].Reason, errLineTooLong) {
		t.Errorf("%+v, %v", report, bad)
	}
}

func TestImport_FileThatIsNoTable(t *testing.T) {
	for _, text := range []string{
		"", "\n\n", "alice,secret1\n", "username\nA\n", "password,s,v\n", "username,password,password\n",
		"\"username,password\n", "\xff\xfeu\x00", "u" + strings.Repeat("x", MaxImportLine) + "\nA,b\n",
	} {
		m := newTestManager(t)
		report, err := importFrom(t.Context(), m, strings.NewReader(text), ImportOptions{Workers: 1})
		if err == nil || report.Added != 0 || strings.Contains(err.Error(), "secret1") {
			t.Errorf("%.20q: %+v, %v", text, report, err)
		}
	}
}

func TestImport_ReadErrorKeepsWhatCameBefore(t *testing.T) {
	m := newTestManager(t)
	const text = "username,password\nA,p\n"
	in := &swapped{strings.NewReader(text)}
	plan, err := Look(t.Context(), in, ImportOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	in.ReadSeeker = &failing{strings.NewReader(text), io.ErrClosedPipe}
	report, err := m.Import(t.Context(), plan)
	if !errors.Is(err, io.ErrClosedPipe) || report.Added != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	mustShow(t, m, "A")
}

func TestImport_CancelReportsWhatIsIn(t *testing.T) {
	var text strings.Builder
	text.WriteString("username,password\n")
	for i := range 5 * batchRows {
		fmt.Fprintf(&text, "P%d,x\n", i)
	}
	m := newTestManager(t)
	ctx, cancel := context.WithCancel(t.Context())
	report, err := importFrom(ctx, m, strings.NewReader(text.String()), ImportOptions{
		Workers: 2, OnProgress: func(ImportReport) { cancel() },
	})
	if !errors.Is(err, context.Canceled) || report.Added == 0 || report.Added == 5*batchRows {
		t.Errorf("%+v, %v", report, err)
	}
	in := strings.Count(mustExport(t, m, ExportOptions{}), "\n") - 1
	if in != report.Added {
		t.Errorf("%d accounts are in, the report says %d", in, report.Added)
	}
	again, _ := mustImport(t, m, text.String(), ImportOptions{Mode: PutSkip})
	if again.Skipped != in || again.Added != 5*batchRows-in {
		t.Errorf("the second run: %+v", again)
	}
}

// The report counts verifiers that an update removes without a request.
func TestImport_Update_CountsNativeVerifiersThatAreLost(t *testing.T) {
	const rows = "username,password\nA,x\nB,y\nC,z\n"
	for _, c := range []struct {
		name, text string
		options    ImportOptions
		want       int
	}{
		{"without native", rows, ImportOptions{Mode: PutUpdate}, 2},
		{"with native", rows, ImportOptions{Mode: PutUpdate, Native: true}, 0},
		{"a name twice, both new", "username,password\nC,x\nC,y\n", ImportOptions{Mode: PutUpdate}, 0},
		{"passed over", rows, ImportOptions{Mode: PutSkip}, 0},
	} {
		m := newTestManager(t)
		for _, name := range []string{"A", "B"} {
			if err := m.Add(t.Context(), name, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if report, _ := mustImport(t, m, c.text, c.options); report.LostNative != c.want {
			t.Errorf("%s: %+v, want %d", c.name, report, c.want)
		}
	}
}

// A native verifier takes 100 ms. None is computed for a row that is refused anyway.
func TestImport_Native_LooksBeforeItMakesVerifiers(t *testing.T) {
	const text = "username,password\nA,x\nB,y\n"
	for mode, want := range map[PutMode]ImportReport{
		PutNew: {Added: 1, Failed: 1}, PutSkip: {Added: 1, Skipped: 1}, PutUpdate: {Added: 1, Updated: 1},
	} {
		o := testOptions()
		m := New(openStore(t), o)
		mustImport(t, m, "username,password\nA,x\n", ImportOptions{})
		store := &countingStore{Store: m.store}
		m.store = store
		report, _ := mustImport(t, m, text, ImportOptions{Mode: mode, Native: true})
		want.Bytes = int64(len(text))
		if fmt.Sprint(report) != fmt.Sprint(want) {
			t.Errorf("mode %d: %+v, want %+v", mode, report, want)
		}
		if made := store.made.Load(); (made == 1) != (mode != PutUpdate) {
			t.Errorf("mode %d: %d verifiers came to the store", mode, made)
		}
	}
}

// countingStore counts the new native verifiers that the store receives.
type countingStore struct {
	Store
	made atomic.Int64
}

func (s *countingStore) Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	for i := range ops {
		if ops[i].Kind == storage.OpCreate && hasNative(ops[i].Account) {
			s.made.Add(1)
		}
	}
	return s.Store.Do(ctx, ops...)
}

func TestLook_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, strings.NewReader("username,password\nA,p\n"), ImportOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
