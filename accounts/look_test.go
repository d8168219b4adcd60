package accounts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"gatepass/storage"
)

// However a file is written, its accounts get the passwords that it contains.
func TestLook_OneSetOfRules(t *testing.T) {
	two := map[string]string{"ALICE": "secret1", "BOB": "p,w"}
	const table = "username,password\nalice,secret1\nbob,\"p,w\"\n"
	for name, c := range map[string]struct {
		text    string
		options ImportOptions
		want    map[string]string
		bad     []int
	}{
		"BOM":                      {"\ufeff" + table, ImportOptions{}, two, nil},
		"UTF-16LE with BOM":        {utf16Text(table, false, true), ImportOptions{}, two, nil},
		"UTF-16BE with BOM":        {utf16Text(table, true, true), ImportOptions{}, two, nil},
		"UTF-16LE without":         {utf16Text(table, false, false), ImportOptions{}, two, nil},
		"UTF-16BE without":         {utf16Text(table, true, false), ImportOptions{}, two, nil},
		"UTF-16 of NDJSON":         {utf16Text(`{"username":"alice","password":"secret1"}`+"\r\n", false, true), ImportOptions{}, map[string]string{"ALICE": "secret1"}, nil},
		"CRLF":                     {strings.ReplaceAll(table, "\n", "\r\n"), ImportOptions{}, two, nil},
		"CR":                       {strings.ReplaceAll(table, "\n", "\r"), ImportOptions{}, two, nil},
		"mixed line ends":          {"username,password\r\nalice,secret1\nbob,\"p,w\"\r\n", ImportOptions{}, two, nil},
		"CR among LF":              {"username,password\nalice,secret1\rbob,\"p,w\"\n", ImportOptions{}, two, nil},
		"no end of line":           {strings.TrimSuffix(table, "\n"), ImportOptions{}, two, nil},
		"empty lines":              {"\n\n" + strings.ReplaceAll(table, "\n", "\n\n"), ImportOptions{}, two, nil},
		"semicolons":               {"username;password\nalice;secret1\nbob;p,w\n", ImportOptions{}, two, nil},
		"bars":                     {"username|password\nalice|secret1\nbob|p,w\n", ImportOptions{}, two, nil},
		"commas in a .tsv":         {table, ImportOptions{}, two, nil},
		"spaces":                   {"username , password \n alice , secret1\nbob ,  \"p,w\" \n", ImportOptions{}, two, nil},
		"spaces in quotes":         {"username,password\na,\" x \"\n", ImportOptions{}, map[string]string{"A": " x "}, nil},
		"spaces with tabs":         {"username\tpassword\na\tx \n", ImportOptions{}, map[string]string{"A": "x "}, nil},
		"batch escapes":            {"username\tpassword\na\tx\\\\y\n", ImportOptions{}, map[string]string{"A": `x\y`}, nil},
		"raw":                      {"username\tpassword\na\tx\\\\y\nb\tx\\y\n", ImportOptions{}, map[string]string{"A": `x\\y`, "B": `x\y`}, nil},
		"raw by flag":              {"username\tpassword\na\tx\\\\y\n", ImportOptions{Escapes: Off}, map[string]string{"A": `x\\y`}, nil},
		"backslashes in CSV":       {"username,password\na,x\\\\y\nb,\\n\n", ImportOptions{}, map[string]string{"A": `x\\y`, "B": `\n`}, nil},
		"escapes in CSV by flag":   {"username,password\na,x\\\\y\n", ImportOptions{Escapes: On}, map[string]string{"A": `x\y`}, nil},
		"escaped quotes":           {"username,password\na,\"x\\\"y\"\nb,\"q,\\\\\"\n", ImportOptions{}, map[string]string{"A": `x"y`, "B": `q,\`}, nil},
		"escapes beside \\N":       {"username,password\na,\"x\\\\y\"\nb,\\N\n", ImportOptions{}, map[string]string{"A": `x\y`}, []int{3}},
		"quotes with tabs":         {"username\tpassword\n\"a\"\t\"x\"\nb\ty\"z\n", ImportOptions{}, map[string]string{"A": "x", "B": `y"z`}, nil},
		"quotes that do not close": {"username\tpassword\na\t\"x\nb\ty\n", ImportOptions{}, map[string]string{"A": `"x`, "B": "y"}, nil},
		"quotes by flag":           {"username\tpassword\na\t\"x\"\n", ImportOptions{Quotes: Off}, map[string]string{"A": `"x"`}, nil},
		"line ends in quotes":      {"username,note,password\na,\"one\ntwo\"\"\n\",x\nb,,y\n", ImportOptions{}, map[string]string{"A": "x", "B": "y"}, nil},
		"NULs":                     {"username,password\na,x\x00y\nb,y\n", ImportOptions{}, map[string]string{"B": "y"}, []int{2}},
		"invalid UTF-8":            {"username,password\na,\xffx\n\xe9,x\nb,y\n", ImportOptions{}, map[string]string{"B": "y"}, []int{2, 3}},
		"ragged":                   {"username,password\na\nb,y,z\nc,x\n,\n", ImportOptions{}, map[string]string{"C": "x"}, []int{2, 3, 5}},
		"null in all spellings":    {"username,password\na,NULL\nb,null\nc,\\N\nd,(NULL)\ne,\nf,<null>\ng,[NULL]\nNULL,x\nh,NULLS\n", ImportOptions{}, map[string]string{"H": "NULLS"}, []int{2, 3, 4, 5, 6, 7, 8, 9}},
		"one account, two names":   {"username,password\nalice,x\nALICE,y\nb,z\nAlice,x\n", ImportOptions{}, map[string]string{"ALICE": "x", "B": "z"}, []int{3, 5}},
		"a bad row first":          {"username,password\na,\na,x\n", ImportOptions{}, map[string]string{"A": "x"}, []int{2}},
		"single quotes":            {"username,password\n'a','x'\nb,y\n", ImportOptions{}, map[string]string{"B": "y"}, []int{2}},
		"quotes that may be data":  {"username\tpassword\n\"a\"\t\"x\"\nb\t\"y\n", ImportOptions{}, map[string]string{"B": `"y`}, []int{2}},
		"header by flag":           {"x\ta\n", ImportOptions{Header: []string{"password", "username"}}, map[string]string{"A": "x"}, nil},
		"array in one line":        {`[{"username":"a","password":"x"},{"username":"b","password":"y"}]`, ImportOptions{}, map[string]string{"A": "x", "B": "y"}, nil},
		"array, bad row":           {"[{\"username\":\"a\",\"password\":\"x\"},\n7,\n{\"username\":\"b\",\n\"password\":\"y\",\"z\":1}]", ImportOptions{}, map[string]string{"A": "x"}, []int{2, 3}},
		"empty array":              {`[]`, ImportOptions{}, map[string]string{}, nil},
		"CR of NDJSON":             {"{\"username\":\"a\",\"password\":\"x\"}\r{\"username\":\"b\",\"password\":\"y\"}\r", ImportOptions{}, map[string]string{"A": "x", "B": "y"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTestManager(t)
			report, bad := mustImport(t, m, c.text, c.options)
			var lines []int
			for _, b := range bad {
				lines = append(lines, b.Line)
			}
			if !slices.Equal(lines, c.bad) || report.Added != len(c.want) {
				t.Errorf("%+v, bad %v, want %v", report, bad, c.bad)
			}
			for account, password := range c.want {
				if !opens(mustShow(t, m, account), password) {
					t.Errorf("%s has another password", account)
				}
			}
		})
	}
}

func utf16Text(text string, big, mark bool) string {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b strings.Builder
	for _, u := range units {
		if big {
			b.WriteString(string([]byte{byte(u >> 8), byte(u)}))
		} else {
			b.WriteString(string([]byte{byte(u), byte(u >> 8)}))
		}
	}
	return b.String()
}

// The error of a bad row names line, account and column, and contains no secret.
func TestImport_BadRowsAreNamed(t *testing.T) {
	const text = "username,password\na,\"hunter2\nb,hunter2,hunter2\nc,hunter2hunter2hunter2\n"
	_, bad := mustImport(t, newTestManager(t), text, ImportOptions{})
	var got []string
	for _, b := range bad {
		got = append(got, b.String())
	}
	want := []string{
		"line 2, account A: a quoted field does not end",
		"line 3, account B: 3 fields where the header has 2; put fields with a comma or a quote in quotes",
		"line 4, account C: password: clients send at most 16 characters; choose a shorter one",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestLook_HeaderThatIsThereAlready(t *testing.T) {
	o := ImportOptions{Header: []string{"username", "password"}}
	if _, err := Look(t.Context(), strings.NewReader("Username,password\na,b\n"), o); err != errHeaderTwice {
		t.Errorf("%v", err)
	}
}

func TestLook_RefusesOtherKinds(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                  "the file is empty",
		" \r\n\n":                                           "the file is empty",
		"\x1f\x8b\x08":                                      "gunzip",
		"PK\x03\x04":                                        "CSV",
		"SQLite format 3\x00":                               "SQLite",
		"\xd0\xcf\x11\xe0\xa1":                              "spreadsheet",
		"\x7fELF\x02":                                       "a program",
		"-- MariaDB dump\n":                                 "SQL dump",
		"/*!40101 SET NAMES utf8 */;":                       "SQL dump",
		"insert into account values (1);":                   "SQL dump",
		"<!DOCTYPE html>":                                   "HTML",
		"+----+\n| username |":                              "--batch",
		"*************************** 1. row":                "\\G",
		"username\x00,password\nA,b\n":                      "NUL",
		"\xff\xfe\x00\x00u\x00\x00\x00":                     "UTF-32",
		"username: alice\npassword: x\n":                    "must name the columns",
		"username,email\na,b\n":                             "no column holds a password",
		"id,bandate,unbandate\n1,2,3\n":                     "has bans and no names",
		"id,gmlevel,RealmID\n1,2,3\n":                       "access levels",
		"username,password,USERNAME\na,b,c":                 "is there twice",
		"username,joindate,created,password\n":              "is there twice",
		`[{"username":"a","password":"x"}`:                  "cut off",
		`[{"username":"a" "password":"x"}]`:                 "this is no JSON",
		`[{"username":"a","password":"x"}] {}`:              "something stands behind the end",
		`{"gatepass":"accounts","version":9}`:               "version 9",
		"username\tsalt\tverifier\na\t\xff\x00\x01\t\xfe\n": "HEX(",
	} {
		_, err := Look(t.Context(), strings.NewReader(text), ImportOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
	}
}

// A JSON value without an end does not use unlimited memory.
func TestLook_BoundsJSONValues(t *testing.T) {
	text := `[{"username":"a","password":"` + strings.Repeat("x", 3*maxJSONValue)
	if _, err := Look(t.Context(), strings.NewReader(text), ImportOptions{}); err == nil || !strings.Contains(err.Error(), errLineTooLong.Error()) {
		t.Errorf("%v", err)
	}
}

// Verifiers in the wrong byte order are refused with a hint, and accepted if the
// operator follows it.
func TestLook_ByteOrder(t *testing.T) {
	var trinity, mangos, trinityReversed, mangosReversed, mixed strings.Builder
	for _, b := range []*strings.Builder{&trinity, &trinityReversed, &mixed} {
		b.WriteString("username,salt,verifier\n")
	}
	for _, b := range []*strings.Builder{&mangos, &mangosReversed} {
		b.WriteString("username,s,v\n")
	}
	const n = 40
	for i := range n {
		name := fmt.Sprintf("P%02d", i)
		folded, _ := storage.FoldName(name)
		salt := [32]byte{byte(i)<<1 | 1, 9, byte(i)}
		salt[31] = 0x80
		g := gruntVerifier(&salt, folded, "x")
		wire, number := trinityHex(g.Salt)+","+trinityHex(g.Verifier), mangosHex(g.Salt)+","+mangosHex(g.Verifier)
		fmt.Fprintf(&trinity, "%s,%s\n", name, wire)
		fmt.Fprintf(&mangosReversed, "%s,%s\n", name, wire)
		fmt.Fprintf(&mangos, "%s,%s\n", name, number)
		fmt.Fprintf(&trinityReversed, "%s,%s\n", name, number)
		if i%2 == 0 {
			wire = number
		}
		fmt.Fprintf(&mixed, "%s,%s\n", name, wire)
	}
	for name, c := range map[string]struct {
		text  string
		order ByteOrder
		want  string
	}{
		"trinity": {trinity.String(), OrderUsual, ""}, "mangos": {mangos.String(), OrderUsual, ""},
		"trinity reversed": {trinityReversed.String(), OrderUsual, "--byte-order reversed"}, "mangos reversed": {mangosReversed.String(), OrderUsual, "--byte-order reversed"},
		"trinity, told": {trinityReversed.String(), OrderReversed, ""}, "mangos, told": {mangosReversed.String(), OrderReversed, ""},
		"trinity, told wrong": {trinity.String(), OrderReversed, "--byte-order usual"}, "mixed": {mixed.String(), OrderUsual, "mixes byte orders"},
	} {
		m := newTestManager(t)
		report, err := importFrom(t.Context(), m, strings.NewReader(c.text), ImportOptions{Order: c.order})
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) || report.Added != 0 {
				t.Errorf("%s: %+v, %v", name, report, err)
			}
		case err != nil || report.Added != n || !opens(mustShow(t, m, "P17"), "x"):
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
}

// There are so few pairs that every verifier is possible in both orders. The shape of
// the salts decides.
func TestOrderCounts_SaltsTell(t *testing.T) {
	both := pairThere | pairFits | pairFitsReversed
	var c orderCounts
	for range shapeEnough {
		c.add(both | saltMangosReversed)
	}
	if c.fault(OrderUsual) == nil || c.fault(OrderAsNamed) != nil {
		t.Error("salts of mangos the other way round were taken")
	}
	c = orderCounts{}
	for range shapeEnough {
		c.add(both | saltMangos | saltMangosReversed)
	}
	if err := c.fault(OrderUsual); err != nil {
		t.Error(err)
	}
}

// A dry run stores nothing and reports what an import would do.
func TestImport_DryRunForesees(t *testing.T) {
	const text = "username,password\nA,new\nB,x\nB,y\nC,\n"
	for _, mode := range []PutMode{PutNew, PutUpdate, PutSkip} {
		m := newTestManager(t)
		mustImport(t, m, "username,password\nA,old\n", ImportOptions{})
		before := mustExport(t, m, ExportOptions{Format: FormatNDJSON})
		dry, dryBad := mustImport(t, m, text, ImportOptions{Mode: mode, DryRun: true})
		if after := mustExport(t, m, ExportOptions{Format: FormatNDJSON}); after != before {
			t.Errorf("mode %d stored something", mode)
		}
		real, realBad := mustImport(t, m, text, ImportOptions{Mode: mode})
		if dry != real || fmt.Sprint(dryBad) != fmt.Sprint(realBad) {
			t.Errorf("mode %d: foresaw %+v, %v; did %+v, %v", mode, dry, dryBad, real, realBad)
		}
	}
}

// Columns that gatepass does not keep are counted. The other columns are imported.
func TestImport_CountsWhatIsLeftOut(t *testing.T) {
	text := "username\tpassword\tlocked\tlock_country\tmutetime\tgmlevel\temail\ttotp_secret\tbandate\tunbandate\tactive\tjoindate\n" +
		"A\tx\t1\t00\t0\t0\t\tNULL\tNULL\tNULL\tNULL\t2015-02-03 04:05:06\n" +
		"B\tx\t0\tDE\t-5\t3\tb@example.org\t" + strings.Repeat("AB", 44) + "\t1600000000\t1600000001\t1\t1970-01-01 00:00:00\n" +
		"C\tx\t0\t00\t4102444800\t0\tNULL\t4142434445464748494A\t1600000000\t1600000000\t1\t0000-00-00 00:00:00\n" +
		"D\tx\t0\t00\t1\t0\t\t\t1600000000\t1600000000000\t1\t0\n" + // milliseconds
		"E\tx\t0\t00\t1\t0\t\txyz\t\t\t\t0\n"
	m := newTestManager(t)
	report, bad := mustImport(t, m, text, ImportOptions{})
	if report.Added != 3 || len(bad) != 2 || bad[0].String() != "line 5, account D: "+banTimeError("unbandate").Error() || bad[1].Account != "E" {
		t.Fatalf("%+v, %v", report, bad)
	}
	want := LeftOut{leftLock: 2, leftMute: 2, leftAccess: 1, leftEmail: 1, leftTOTP: 1, leftBanOver: 1, leftTime: 1}
	if report.Left != want {
		t.Errorf("left out %v, want %v", report.Left, want)
	}
	if c := mustShow(t, m, "C"); string(c.TOTPSecret) != "ABCDEFGHIJ" || c.Ban != (storage.Ban{Set: true, Since: 1_600_000_000}) {
		t.Errorf("%+v", c)
	}
}
