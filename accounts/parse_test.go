package accounts

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

func TestSplitCSV(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
		err  error
	}{
		{"", []string{""}, nil},
		{"a,b", []string{"a", "b"}, nil},
		{"a,", []string{"a", ""}, nil},
		{`"a,b",c`, []string{"a,b", "c"}, nil},
		{`"a""b",""`, []string{`a"b`, ""}, nil},
		{`a"b,c`, []string{`a"b`, "c"}, nil},
		{` "a",b`, []string{` "a"`, "b"}, nil},
		{`"a`, nil, errQuoteOpen},
		{`"a""`, nil, errQuoteOpen},
		{`"a"b`, nil, errQuoteRest},
		{`"a",`, []string{"a", ""}, nil},
	} {
		got, err := splitCSV(c.line, nil)
		if err != c.err || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q, %v", c.line, got, err, c.want, c.err)
		}
	}
}

// What the standard library writes on one line, splitCSV reads.
func FuzzSplitCSV(f *testing.F) {
	f.Add("alice", `se"cret`, "a,b")
	f.Add("", " x ", `""`)
	f.Fuzz(func(t *testing.T, a, b, c string) {
		row := []string{a, b, c}
		if strings.ContainsAny(a+b+c, "\r\n") {
			t.Skip("not one line")
		}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		if w.Write(row) != nil {
			t.Skip("not writable")
		}
		w.Flush()
		got, err := splitCSV(strings.TrimSuffix(out.String(), "\n"), nil)
		if err != nil || !slices.Equal(got, row) {
			t.Errorf("%q came back as %q, %v", row, got, err)
		}
	})
}

// No line makes the parsers fail other than by an error, and what they take is
// an account that storage takes.
func FuzzParseRow(f *testing.F) {
	pair := strings.Repeat("5A", 32)
	f.Add([]byte("alice,secret1,,,,,"))
	f.Add([]byte(`"bob",,` + pair + "," + pair + ",,,"))
	f.Add([]byte(`{"username":"carl","s":"5A","v":"5B","ban":{"until":"2027-01-01T00:00:00Z"}}`))
	f.Add([]byte(`{"username":"carl","sha_pass_hash":"` + pair[:40] + `","others":{"native":"00"}}`))
	t, err := parseHeader([]byte("username,password,salt,verifier,s,v,sha_pass_hash"), FormatCSV)
	if err != nil {
		f.Fatal(err)
	}
	o := new(objects)
	f.Fuzz(func(t2 *testing.T, line []byte) {
		for _, parse := range []func([]byte) (draft, []string, error){t.parse, o.parse} {
			d, _, err := parse(line)
			if err != nil {
				continue
			}
			if _, err := ParseName(d.account.Name.String()); err != nil {
				t2.Errorf("took the name %q", d.account.Name)
			}
			if d.account.Grunt.Set && weak(&d.account.Grunt) {
				t2.Error("took a weak verifier")
			}
			if d.address == nil && !d.account.Grunt.Set && d.password == "" && d.hash == nil && len(d.account.Others) == 0 {
				t2.Error("took a row without a secret")
			}
		}
	})
}

func TestSniffAndFormatOf(t *testing.T) {
	for line, want := range map[string]Format{
		"username,password": FormatCSV, "username\tsalt": FormatTSV, `  {"a":1}`: FormatNDJSON, "username": FormatCSV,
	} {
		if got := sniff([]byte(line)); got != want {
			t.Errorf("sniff %q: %d, want %d", line, got, want)
		}
	}
	for path, want := range map[string]Format{
		"a.CSV": FormatCSV, "b.jsonl": FormatNDJSON, "c.ndjson": FormatNDJSON, "d.tsv": FormatTSV, "-": FormatAuto, "e.txt": FormatAuto,
	} {
		if got := FormatOf(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	for _, word := range []string{"yaml", "cs v"} {
		if _, err := ParseFormat(word); err == nil {
			t.Errorf("took the format %s", word)
		}
	}
	if names, err := ParseProtocols("Native, grunt"); err != nil || !slices.Equal(names, []string{ProtocolNative, ProtocolGrunt}) {
		t.Errorf("protocols: %v, %v", names, err)
	}
	if _, err := ParseProtocols("grunt,telnet"); err == nil || !strings.Contains(err.Error(), "give grunt, native or both") {
		t.Errorf("protocols: %v", err)
	}
	if _, err := ParseColumns("sql"); err == nil {
		t.Error("took the columns sql")
	}
}
