package accounts

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

func TestDialect_Split(t *testing.T) {
	comma := dialect{delimiter: ',', quotes: true, trim: true}
	bare := dialect{delimiter: ','}
	escaped := dialect{delimiter: '\t', escapes: true}
	both := dialect{delimiter: ';', escapes: true, quotes: true, trim: true}
	all := dialect{delimiter: ',', quotes: true, quotedNull: true}
	const null = "<null>"
	for _, c := range []struct {
		dialect *dialect
		line    string
		want    []string
		err     error
	}{
		{&comma, "", []string{""}, nil},
		{&comma, "a,b", []string{"a", "b"}, nil},
		{&comma, "a,", []string{"a", ""}, nil},
		{&comma, `"a,b",c`, []string{"a,b", "c"}, nil},
		{&comma, `"a""b",""`, []string{`a"b`, ""}, nil},
		{&comma, `a"b,c`, []string{`a"b`, "c"}, nil},
		{&comma, ` "a" , b c ,d`, []string{"a", "b c", "d"}, nil},
		{&comma, `" a ",b`, []string{" a ", "b"}, nil},
		{&comma, `"a`, nil, errQuoteOpen},
		{&comma, `"a""`, nil, errQuoteOpen},
		{&comma, `"a"b`, nil, errQuoteRest},
		{&comma, `"a",`, []string{"a", ""}, nil},
		{&comma, `NULL,\N,null,(NULL),[NULL],"NULL","\N",a NULL`, []string{null, null, null, null, null, "NULL", null, "a NULL"}, nil},
		{&comma, `a\n,"b\\"`, []string{`a\n`, `b\\`}, nil},
		{&bare, `"a",b `, []string{`"a"`, "b "}, nil},
		{&all, `"NULL","null","a"`, []string{null, null, "a"}, nil},
		{&escaped, `a\tb` + "\t" + `c\\n` + "\t" + `\0` + "\t" + `\N` + "\t" + `x\` + "\ty", []string{"a\tb", `c\n`, "\x00", null, "x\ty"}, nil},
		{&both, `"a\"b;c";d\;e;"\\"`, []string{`a"b;c`, "d;e", `\`}, nil},
		{&both, `"\N";"a\N"`, []string{null, "aN"}, nil},
	} {
		cells, err := c.dialect.split(c.line, nil)
		var got []string
		for _, cell := range cells {
			if cell.null {
				cell.text = null
			}
			got = append(got, cell.text)
		}
		if err != c.err || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q, %v", c.line, got, err, c.want, c.err)
		}
	}
}

// The dialect reads what the standard library writes, including fields of several
// lines.
func FuzzDialect_ReadsCSV(f *testing.F) {
	f.Add("alice", `se"cret`, "a,b")
	f.Add("", " x ", `""`)
	f.Add("a\nb", `\`, `"`)
	lines := newLineReader(nil) // one reader for all inputs, because its buffer is large
	f.Fuzz(func(t *testing.T, a, b, c string) {
		row := []string{a, b, c}
		if strings.Contains(a+b+c, "\r") || isNull(a) || isNull(b) || isNull(c) || strings.TrimSpace(a+b+c) == "" {
			return // a CSV file cannot contain this
		}
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		if w.Write(row) != nil {
			return
		}
		w.Flush()
		d := dialect{delimiter: ',', quotes: true, multiline: true}
		lines.r.Reset(&out)
		text, err := (&tableReader{lines: lines, dialect: &d, dropCR: true}).next()
		if err != nil {
			t.Fatal(err)
		}
		cells, err := d.split(string(text), nil)
		if err != nil || len(cells) != 3 || cells[0].text != a || cells[1].text != b || cells[2].text != c {
			t.Errorf("%q came back as %+v, %v", row, cells, err)
		}
	})
}

// For every line the parsers return an account that storage accepts, or an error.
func FuzzParseRow(f *testing.F) {
	pair := strings.Repeat("5A", 32)
	f.Add([]byte("alice,secret1,,,,,"))
	f.Add([]byte(`"bob",,` + pair + "," + pair + ",,,"))
	f.Add([]byte(`{"username":"carl","s":"5A","v":"5B","ban":{"until":"2027-01-01T00:00:00Z"}}`))
	f.Add([]byte(`{"username":"carl","sha_pass_hash":"` + pair[:40] + `","others":{"native":"00"}}`))
	const table = "username,password,salt,verifier,s,v,sha_pass_hash,token,totp_secret,bandate,unbandate\nA,b,,,,,,,,,\n"
	plan, err := Look(f.Context(), strings.NewReader(table), ImportOptions{Workers: 1})
	if err != nil {
		f.Fatal(err)
	}
	t, o := plan.parser(testTime), (&objects{rules: new(rules)}).parse
	f.Fuzz(func(t2 *testing.T, line []byte) {
		for _, parse := range []func([]byte) (draft, error){t, o} {
			d, err := parse(line)
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

func TestFormatFlags(t *testing.T) {
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
