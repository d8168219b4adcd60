package accounts

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatepass/auth/srp6"
	"gatepass/storage"
)

// fixtures rewrites testdata/mariadb with a real server and its real client.
var fixtures = flag.Bool("fixtures", false, "write testdata/mariadb anew (needs mariadbd)")

// The output of the real client for the tables of the four families, in every usual
// format, gives the accounts in the tables. TestImport_LiveMariaDB -fixtures makes the
// files.
func TestImport_OfMariaDBClients(t *testing.T) {
	files, err := filepath.Glob("testdata/mariadb/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			wantPlayers(t, string(text), filepath.Base(file))
		})
	}
}

// The same with a local server: the test makes tables, prints and imports them, and
// also imports the output of the statements in the docs.
func TestImport_LiveMariaDB(t *testing.T) {
	if _, err := exec.LookPath("mariadbd"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("mariadbd is not installed: apt-get install mariadb-server")
		}
		t.Skip("mariadbd is not installed: apt-get install mariadb-server")
	}
	db := startMariaDB(t)
	for _, f := range families() {
		db.run(t, "", "DROP DATABASE IF EXISTS "+f.database+"; CREATE DATABASE "+f.database+" CHARACTER SET utf8mb4")
		db.run(t, f.database, f.schema+f.rows())
		if f.database == "auth" {
			t.Run(f.name+".bans", func(t *testing.T) { db.testBans(t, &f) })
		}
		for name, print := range db.printers(t, &f) {
			t.Run(f.name+"."+name, func(t *testing.T) {
				text := print(t)
				if *fixtures && !strings.HasPrefix(name, "docs") {
					if err := os.WriteFile("testdata/mariadb/"+f.name+"."+name, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				wantPlayers(t, text, f.name+"."+name)
			})
		}
	}
}

// The bans of a database are imported separately, after the accounts, as the docs say.
func (db *mariaDB) testBans(t *testing.T, f *family) {
	m := newTestManager(t)
	mustImport(t, m, db.documented(t, f), ImportOptions{})
	bans := db.shell(t, `(mysql --batch -e "SELECT a.username, b\.[^\n]*?) > bans\.tsv`)
	for _, want := range []ImportReport{{Banned: 2, Skipped: 2}, {Skipped: 4}} { // no change
		report, bad := mustImport(t, m, bans, ImportOptions{Mode: PutSkip})
		if report.Banned != want.Banned || report.Skipped != want.Skipped || bad != nil {
			t.Errorf("%+v, %v", report, bad)
		}
	}
	for _, p := range players()[:23] {
		if a := mustShow(t, m, p.name); a.Ban != p.banned {
			t.Errorf("%s: ban %+v, want %+v", p.name, a.Ban, p.banned)
		}
	}
	report, bad := mustImport(t, m, db.shell(t, `(mysql --batch -e "SELECT \* FROM ip_banned[^\n]*?) > addresses\.tsv`), ImportOptions{})
	there, err := m.AddressBans(t.Context())
	if err != nil || bad != nil || report.Addresses != 2 || report.Left[leftBanOver] != 1 || len(there) != 2 || there[0].Ban.Until != 0 || there[1].Ban.Until != 4_102_444_800 {
		t.Errorf("%+v, %v, %v, %+v", report, bad, err, there)
	}
}

// mariaDB is a private server with its socket in a folder of the test.
type mariaDB struct{ dir string }

func startMariaDB(t *testing.T) *mariaDB {
	t.Helper()
	db := &mariaDB{t.TempDir()}
	if err := os.Chmod(db.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	user := []string{}
	if os.Geteuid() == 0 {
		user = []string{"--user=root"}
	}
	install := exec.Command("mariadb-install-db", append(user, "--no-defaults", "--auth-root-authentication-method=normal", "--datadir="+db.dir+"/data")...)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command("mariadbd", append([]string{"--no-defaults", "--skip-networking", "--secure-file-priv=", "--default-time-zone=+00:00", "--innodb-buffer-pool-size=8M",
		"--datadir=" + db.dir + "/data", "--socket=" + db.dir + "/s", "--pid-file=" + db.dir + "/pid"}, user...)...)
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	// The docs call this program mysql.
	wrapper := "#!/bin/sh\nexec mariadb --no-defaults --default-character-set=utf8mb4 -u root -S " + db.dir + "/s \"$@\"\n"
	if err := os.WriteFile(db.dir+"/mysql", []byte(wrapper), 0o755); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		if exec.Command(db.dir+"/mysql", "-e", "SELECT 1").Run() == nil {
			return db
		}
		if time.Now().After(end) {
			t.Fatalf("the server does not come up:\n%s", log.String())
		}
	}
}

// run returns the output of mysql for a statement.
func (db *mariaDB) run(t testing.TB, database, statement string, flags ...string) string {
	t.Helper()
	c := exec.Command(db.dir+"/mysql", append(flags, database)...)
	if database == "" {
		c = exec.Command(db.dir+"/mysql", flags...)
	}
	c.Stdin = strings.NewReader(statement)
	var out, told bytes.Buffer
	c.Stdout, c.Stderr = &out, &told
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	return out.String()
}

// printers returns the ways to print the accounts of a family, by file name.
func (db *mariaDB) printers(t *testing.T, f *family) map[string]func(testing.TB) string {
	header := "'" + strings.Join(f.columns, "','") + "'"
	sql := func(statement string, flags ...string) func(testing.TB) string {
		return func(t testing.TB) string { return db.run(t, f.database, statement, flags...) }
	}
	outfile := func(how string) func(testing.TB) string {
		return func(t testing.TB) string {
			path := filepath.Join(db.dir, "out")
			os.Remove(path)
			db.run(t, f.database, "SELECT "+header+" UNION ALL SELECT "+f.list(false)+strings.TrimSuffix(f.from(), " ORDER BY a.username")+" INTO OUTFILE '"+path+"' "+how)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	all := map[string]func(testing.TB) string{
		"batch.tsv":      sql("SELECT "+f.list(false)+f.from(), "--batch"),
		"hex.tsv":        sql("SELECT "+f.list(true)+f.from(), "--batch"),
		"binhex.tsv":     sql("SELECT "+f.list(false)+f.from(), "--batch", "--binary-as-hex"),
		"outfile.tsv":    outfile(""),
		"outfile.csv":    outfile(`FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"'`),
		"outfile2.csv":   outfile(`FIELDS TERMINATED BY ';' ENCLOSED BY '"' LINES TERMINATED BY '\r\n'`),
		"objects.ndjson": sql("SELECT JSON_OBJECT("+f.pairs()+")"+f.from(), "--batch", "--raw", "--skip-column-names"),
		"array.json":     sql("SELECT JSON_ARRAYAGG(JSON_OBJECT("+f.pairs()+"))"+f.from(), "--batch", "--raw", "--skip-column-names"),
		"docs.tsv":       func(t testing.TB) string { return db.documented(t, f) },
	}
	return all
}

// documented returns the output of the docs/import.md statement for a family's
// accounts.
func (db *mariaDB) documented(t testing.TB, f *family) string {
	t.Helper()
	return db.shell(t, `(?s)# [^\n]*`+f.name+`[^\n]*\n(mysql --batch .*?) > accounts\.tsv\n`)
}

// shell runs a command from the docs.
func (db *mariaDB) shell(t testing.TB, pattern string) string {
	t.Helper()
	docs, err := os.ReadFile("../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(docs)
	if found == nil {
		t.Fatalf("the docs have no %s", pattern)
	}
	c := exec.Command("sh", "-c", string(found[1]))
	c.Env = append(os.Environ(), "PATH="+db.dir+":"+os.Getenv("PATH"))
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// family is one kind of database, with the output of its tables.
type family struct {
	name, database, schema string
	columns                []string // as named in a file
	binary                 []string // the columns that hold bytes
	bans                   string   // joins the table of bans
	insert                 func(p *player) string
}

func (f *family) from() string { return " FROM account a " + f.bans + " ORDER BY a.username" }

// list returns the columns of a statement, binary columns as hex if inHex is set.
func (f *family) list(inHex bool) string {
	return f.each(func(c string) string {
		if inHex && strings.Contains(" "+strings.Join(f.binary, " ")+" ", " "+c+" ") {
			return "HEX(" + c + ") AS " + c
		}
		return c
	})
}

// pairs returns the arguments of JSON_OBJECT.
func (f *family) pairs() string {
	return f.each(func(c string) string {
		if strings.Contains(" "+strings.Join(f.binary, " ")+" ", " "+c+" ") {
			return "'" + c + "', HEX(" + c + ")"
		}
		return "'" + c + "', " + c
	})
}

func (f *family) each(one func(string) string) string {
	var parts []string
	for _, c := range f.columns {
		parts = append(parts, one(c))
	}
	return strings.Join(parts, ", ")
}

func (f *family) rows() string {
	var b strings.Builder
	for i := range players() {
		b.WriteString(f.insert(&players()[i]))
	}
	return b.String()
}

// player is an account in the tables, with the values that the import must give.
type player struct {
	id       int
	name     string
	password string // empty: no password was ever set
	salt     [32]byte
	verifier srp6.Verifier
	pin      string
	totp     []byte
	// since, until and active are its ban, if since is not 0.
	since, until int64
	active       int
	reason       string
	banned       storage.Ban
}

const nasty = "multi\nline\ttab \\ back, \"quoted\"; 'single' žluťoučký"

// players returns made-up players. Their salts are random and contain bytes that
// clients escape.
func players() []player {
	random := rand.NewChaCha8([32]byte{9})
	var all []player
	for i := range 24 {
		p := player{id: i + 1, name: fmt.Sprintf("P%02d", i), password: fmt.Sprintf("Secret%d", i)}
		random.Read(p.salt[:])
		p.salt[0], p.salt[31] = p.salt[0]|1, p.salt[31]|0x80
		copy(p.salt[1:], []byte{0, '\t', '\n', '\r', '\\', '"', ';', ',', 0xff, '\'', 26, 8})
		p.verifier = srp6.NewVerifier((*srp6.Salt)(&p.salt), p.name, p.password)
		all = append(all, p)
	}
	ban := func(i int, since, until int64, active int, reason string) {
		all[i].since, all[i].until, all[i].active, all[i].reason = since, until, active, reason
	}
	ban(1, 1_700_000_000, 1_700_000_000, 1, nasty)
	all[1].banned = storage.Ban{Set: true, Since: 1_700_000_000, Reason: strings.NewReplacer("\n", " ", "\t", " ").Replace(nasty), By: "GM \"x\""}
	ban(2, 1_690_000_000, 4_102_444_800, 1, "NULL")
	all[2].banned = storage.Ban{Set: true, Since: 1_690_000_000, Until: 4_102_444_800, By: "GM \"x\""}
	ban(3, 1_690_000_000, 1_690_000_600, 1, "over")
	ban(4, 1_690_000_000, 1_690_000_000, 0, "lifted")
	all[5].totp = []byte("\x00\t\n\\\"\r'0123456789abc")
	all[6].pin = "0451"
	all[23].password, all[23].salt, all[23].verifier = "", [32]byte{}, srp6.Verifier{}
	return all
}
