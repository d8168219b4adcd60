package accounts

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gatepass/auth/srp6a"
)

func TestManager_Add_MakesANativeVerifier(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "alice", "SeCret1"); err != nil {
		t.Fatal(err)
	}
	a := mustShow(t, m, "alice")
	if !opens(a, "secret1") || !opensNatively(t, a, "SeCret1") || opensNatively(t, a, "secret1") {
		t.Error("the password does not open it, or another does")
	}
	if err := m.SetPassword(t.Context(), "alice", "other"); err != nil {
		t.Fatal(err)
	}
	b := mustShow(t, m, "alice")
	if !opensNatively(t, b, "other") || opensNatively(t, b, "SeCret1") || string(a.Others[ProtocolNative][9:41]) == string(b.Others[ProtocolNative][9:41]) {
		t.Error("the native verifier, or its salt, is still the old one")
	}
	o := testOptions()
	o.NoNative = true
	if err := New(m.store, o).SetPassword(t.Context(), "alice", "third"); err != nil {
		t.Fatal(err)
	}
	if c := mustShow(t, m, "alice"); !opens(c, "third") || len(c.Others) != 0 {
		t.Errorf("it has %v", protocols(c))
	}
}

// Every option that is zero gets its own default.
func TestOptions_NativeDefaults(t *testing.T) {
	for _, c := range []struct{ give, want srp6a.Params }{
		{srp6a.Params{}, srp6a.DefaultParams()},
		{srp6a.Params{Group: srp6a.Group4096}, srp6a.Params{Group: srp6a.Group4096, KDF: srp6a.DefaultKDF()}},
		{srp6a.Params{KDF: cheap().KDF}, cheap()},
	} {
		if got := New(nil, Options{Native: c.give}).options.Native; got != c.want {
			t.Errorf("%+v became %+v", c.give, got)
		}
	}
}

func TestManager_NativeParamsThatCannotBe(t *testing.T) {
	o := testOptions()
	o.Native.KDF.Passes = 99
	m := New(openStore(t), o)
	_, importErr := importFrom(t.Context(), m, strings.NewReader("username,password\nA,x\n"), ImportOptions{Workers: 1, Native: true})
	for _, err := range []error{m.Add(t.Context(), "A", "x"), m.SetPassword(t.Context(), "A", "x"), importErr} {
		var field *FieldError
		if !errors.As(err, &field) || field.Field != "native" || !strings.Contains(err.Error(), "passes") {
			t.Error(err)
		}
	}
}

func TestParseKDF(t *testing.T) {
	if kdf, err := ParseKDF("8192, 2,4"); err != nil || kdf != (srp6a.KDF{MemoryKiB: 8192, Passes: 2, Lanes: 4}) {
		t.Error(kdf, err)
	}
	for text, want := range map[string]string{
		"": "not three numbers", "1,2": "not three numbers", "65536,3,1,1": "not three numbers", "65536,x,1": `"x" is no number`,
		"-1,3,1": "no number", "4294967296,3,1": "no number", "8191,3,1": "memory is 8191 KiB and clients take 8192 to 262144",
		"262145,3,1": "memory is", "65536,0,1": "0 passes", "65536,17,1": "17 passes and clients take 1 to 16", "65536,3,17": "17 lanes", "262144,5,1": "memory times passes is 1310720 KiB and clients take up to 1048576", "65536,3,0": "0 lanes",
	} {
		var field *FieldError
		if _, err := ParseKDF(text); !errors.As(err, &field) || field.Field != "native-kdf" || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "such as 65536,3,1") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseGroup(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		if g, err := ParseGroup(fmt.Sprint(bits)); err != nil || int(g) != bits {
			t.Error(g, err)
		}
	}
	for _, text := range []string{"", "1024", "67584", "x"} {
		var field *FieldError
		if _, err := ParseGroup(text); !errors.As(err, &field) || field.Field != "native-group" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Passwords become native verifiers only if the operator asks for it.
func TestImport_Native(t *testing.T) {
	const text = "username,password,sha_pass_hash\nalice,Secret1,\nbob,,0123456789012345678901234567890123456789\n"
	for _, c := range []struct {
		o             ImportOptions
		grunt, native bool
	}{
		{ImportOptions{}, true, false},
		{ImportOptions{Native: true}, true, true},
		{ImportOptions{Native: true, NoGrunt: true}, false, true},
	} {
		m := newTestManager(t)
		if report, bad := mustImport(t, m, text, c.o); report.Added != 2 || bad != nil {
			t.Fatalf("%+v: %+v, %v", c.o, report, bad)
		}
		a, b := mustShow(t, m, "alice"), mustShow(t, m, "bob")
		if _, there := a.Others[ProtocolNative]; opens(a, "secret1") != c.grunt || there != c.native || there && !opensNatively(t, a, "Secret1") {
			t.Errorf("%+v: alice has %v", c.o, protocols(a))
		}
		if !b.Grunt.Set || len(b.Others) != 0 {
			t.Errorf("%+v: bob has %v, of a hash", c.o, protocols(b))
		}
	}
}

// More rows than one native batch keep their order.
func TestImport_Native_ManyRows(t *testing.T) {
	const rows = 3*nativeBatchRows + 1
	var text strings.Builder
	text.WriteString("username,password\n")
	for i := range rows {
		fmt.Fprintf(&text, "P%d,x%d\n", i, i)
	}
	m := newTestManager(t)
	reports := 0
	report, err := importFrom(t.Context(), m, strings.NewReader(text.String()), ImportOptions{Workers: 4, Native: true, OnProgress: func(ImportReport) { reports++ }})
	if err != nil || report.Added != rows || reports < 4 {
		t.Fatalf("%+v after %d reports: %v", report, reports, err)
	}
	if !opensNatively(t, mustShow(t, m, "p42"), "x42") {
		t.Error("P42 has the password of another")
	}
}

// The memory limit also limits the number of workers.
func TestImport_Native_BoundsMemory(t *testing.T) {
	o := testOptions()
	o.Native.KDF.MemoryKiB = 512 << 10
	m := New(nil, o)
	for workers, want := range map[int]int{1: 1, 2: 2, 64: 2} {
		io := ImportOptions{Workers: workers, Native: true}
		if err := m.prepareNative(&io); err != nil || io.Workers != want {
			t.Errorf("%d workers became %d, want %d: %v", workers, io.Workers, want, err)
		}
	}
}

// A cancelled import stops at the current row.
func TestImport_Native_Interrupted(t *testing.T) {
	m := newTestManager(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	text := "username,password\n" + strings.Repeat("A,x\n", 100_000)
	var last ImportReport
	_, err := importFrom(ctx, m, strings.NewReader(text), ImportOptions{Workers: 2, Native: true, OnProgress: func(r ImportReport) {
		last = r
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || last.Added != 1 || last.Failed > 20*nativeBatchRows {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestImport_NativeVerifierIsChecked(t *testing.T) {
	good := anyNative()
	spoil := func(change func(b []byte) []byte) string {
		return hex.EncodeToString(change(append([]byte(nil), good...)))
	}
	for name, c := range map[string]struct{ digits, want string }{
		"whole":        {spoil(func(b []byte) []byte { return b }), ""},
		"cut":          {spoil(func(b []byte) []byte { return b[:len(b)-1] }), "V is not a number of the group"},
		"short":        {"0102", "cut short"},
		"empty":        {"", "cut short"},
		"from later":   {spoil(func(b []byte) []byte { b[0] = 2; return b }), "version is 2"},
		"no group":     {spoil(func(b []byte) []byte { b[1] = 1; return b }), "group is 2049"},
		"lets all in":  {spoil(func(b []byte) []byte { clear(b[41:]); return b }), "V is not a number of the group"},
		"one too":      {spoil(func(b []byte) []byte { clear(b[41:]); b[len(b)-1] = 1; return b }), "V is not a number of the group"},
		"not hex":      {"zz", "hex digits"},
		"too cheap":    {spoil(func(b []byte) []byte { b[4] = 0x1f; return b }), "clients refuse this verifier: kdf memory (KiB) is 7936"},
		"too dear":     {spoil(func(b []byte) []byte { b[5], b[7] = 4, 5; return b }), "clients refuse this verifier: kdf memory (KiB) is 270336"},
		"too long":     {spoil(func(b []byte) []byte { b[5], b[7] = 3, 6; return b }), "kdf memory (KiB) times passes is 1228800"},
		"not anyone's": {spoil(func(b []byte) []byte { b[7] = 0; return b }), "passes is 0"},
	} {
		m := newTestManager(t)
		line := fmt.Sprintf(`{"username":"A","others":{"native":"%s"}}`, c.digits)
		report, bad := mustImport(t, m, line, ImportOptions{})
		if (c.want == "") != (report.Added == 1) {
			t.Errorf("%s: %+v", name, report)
		}
		for _, b := range bad {
			if text := b.Reason.Error(); !strings.HasPrefix(text, "others") || !strings.Contains(text, c.want) {
				t.Errorf("%s: %v", name, text)
			}
		}
	}
}

func TestSummarize_Native(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "A", "x"); err != nil {
		t.Fatal(err)
	}
	a := mustShow(t, m, "A")
	if got, want := *Summarize(a, testTime).Native, (NativeSummary{Group: 2048, MemoryKiB: 8 << 10, Passes: 1, Lanes: 1, Weak: true}); got != want {
		t.Errorf("got %+v", got)
	}
	for _, raw := range [][]byte{nil, {1}} {
		a.Others = map[string][]byte{ProtocolNative: raw}
		if Summarize(a, testTime).Native != nil {
			t.Errorf("%x was read", raw)
		}
	}
	d := srp6a.DefaultParams()
	for weak, p := range map[bool][]srp6a.Params{
		false: {d, {Group: srp6a.Group4096, KDF: d.KDF}, {Group: d.Group, KDF: srp6a.KDF{MemoryKiB: 128 << 10, Passes: 2, Lanes: 4}}},
		true: {{Group: d.Group, KDF: srp6a.KDF{MemoryKiB: 64 << 10, Passes: 2, Lanes: 1}}, {Group: srp6a.Group4096, KDF: srp6a.KDF{MemoryKiB: 32 << 10, Passes: 16, Lanes: 1}},
			{Group: 1024, KDF: d.KDF}},
	} {
		for _, p := range p {
			if weaker(p, d) != weak {
				t.Errorf("%+v: weak %v", p, !weak)
			}
		}
	}
}
