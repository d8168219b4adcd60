package credentials

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

func initOptions(hosts ...string) InitOptions {
	return InitOptions{Region: "test", Hosts: hosts, Now: time.Now(), Random: rand.Reader}
}

func mustAuthority(tb testing.TB, hosts ...string) *Authority {
	tb.Helper()
	a, err := InitAuthority(filepath.Join(tb.TempDir(), "bus"), initOptions(hosts...))
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// mustCreds adds a node and gives its credentials file.
func mustCreds(tb testing.TB, a *Authority, node worlds.Node) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), string(node)+".creds")
	if err := a.AddNode(node, file); err != nil {
		tb.Fatal(err)
	}
	return file
}

func TestAuthority_FilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t, "bus.example.org")
	creds := mustCreds(t, a, "world.7")
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	modes := map[bool]fs.FileMode{true: 0o700, false: 0o600}
	check := func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != modes[d.IsDir()] {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	}
	for _, path := range []string{a.Dir(), creds} {
		if err := filepath.WalkDir(path, check); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAuthority_IsMadeOnce(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	before, err := os.ReadFile(a.path(fileOperatorKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := InitAuthority(a.Dir(), initOptions()); !errors.Is(err, ErrExists) {
		t.Fatalf("a second init: %v", err)
	}
	if after, _ := os.ReadFile(a.path(fileOperatorKey)); string(after) != string(before) {
		t.Fatal("the second init has changed the key")
	}
	if again, err := OpenAuthority(a.Dir()); err != nil || again.Region() != "test" {
		t.Fatalf("open: %v", err)
	}
}

func TestAuthority_FaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	o := initOptions("bus.example.org:4222", "ok.example.org", "a..b")
	o.Region = "Über"
	_, err := InitAuthority(filepath.Join(t.TempDir(), "bus"), o)
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{"region", "bus.example.org:4222", "a..b"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
	if _, err := OpenAuthority(t.TempDir()); !errors.Is(err, ErrNoAuthority) {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestAuthority_AddNodeRefusesWhatIsThere(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	creds := mustCreds(t, a, "world.7")
	if err := a.AddNode("world.7", creds+".2"); !errors.Is(err, ErrExists) {
		t.Errorf("the same node: %v", err)
	}
	if err := a.AddNode("world.8", creds); !errors.Is(err, ErrExists) {
		t.Errorf("the same file: %v", err)
	}
	if err := a.AddNode("world.0", creds+".2"); err == nil {
		t.Error("a world 0 was added")
	}
	if _, err := os.Lstat(creds + ".2"); err == nil {
		t.Error("a refusal has made a file")
	}
	if node, err := NodeOf(creds); node != "world.7" || err != nil {
		t.Errorf("the file is of %q: %v", node, err)
	}
}

func TestAuthority_ReplaceRevokesTheOldKey(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	creds := mustCreds(t, a, "login.eu1")
	before := mustNodes(t, a)
	if err := a.ReplaceNode("login.eu1", creds); err != nil {
		t.Fatal(err)
	}
	after := mustNodes(t, a)
	if len(before) != 1 || len(after) != 1 || before[0].Key == after[0].Key || after[0].Revoked {
		t.Fatalf("before %v, after %v", before, after)
	}
	claims, err := ReadAccount(a.path(FileRegion))
	if err != nil {
		t.Fatal(err)
	}
	if !claims.Revocations.IsRevoked(before[0].Key, before[0].Added) || claims.Revocations.IsRevoked(after[0].Key, after[0].Added) {
		t.Fatalf("revoked: %v", claims.Revocations)
	}
}

// Credentials of an earlier version may do less than nodes are allowed now.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	creds := mustCreds(t, a, "login.eu1")
	if ok, err := UpToDate(creds); err != nil || !ok {
		t.Fatalf("new ones: %v, %v", ok, err)
	}
	less := PermissionsFor("login.eu1")
	less.Sub.Allow.Remove(wire.SubjectOrder)
	old, _, err := issue(issueOptions{name: "login.eu1", permissions: less, by: a.region, random: a.random})
	if err := errors.Join(err, WriteFile(creds, old)); err != nil {
		t.Fatal(err)
	}
	if ok, err := UpToDate(creds); err != nil || ok {
		t.Fatalf("those without a subject: %v, %v", ok, err)
	}
	if err := a.ReplaceNode("login.eu1", creds); err != nil {
		t.Fatal(err)
	}
	if ok, err := UpToDate(creds); err != nil || !ok {
		t.Errorf("made anew: %v, %v", ok, err)
	}
	if _, err := UpToDate(a.path(fileRegionKey)); err == nil {
		t.Error("a key is taken for credentials")
	}
}

func TestAuthority_RevokeIsForKnownNodes(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	mustCreds(t, a, "world.7")
	if err := a.Revoke("world.8"); !errors.Is(err, ErrNoNode) {
		t.Errorf("a node that never was: %v", err)
	}
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke("world.7"); !errors.Is(err, ErrNoNode) {
		t.Errorf("a node twice: %v", err)
	}
	if all := mustNodes(t, a); len(all) != 1 || !all[0].Revoked {
		t.Errorf("listed: %v", all)
	}
	mustCreds(t, a, "world.7")
	if all := mustNodes(t, a); len(all) != 1 || all[0].Revoked {
		t.Errorf("listed after it was added again: %v", all)
	}
}

// Two processes have the folder open; neither may undo what the other does.
func TestAuthority_ChangesOfOthersAreSeen(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	b, err := OpenAuthority(a.Dir())
	if err != nil {
		t.Fatal(err)
	}
	mustCreds(t, a, "world.1")
	mustCreds(t, b, "world.2")
	if err := a.Revoke("world.2"); err != nil {
		t.Fatal(err)
	}
	if err := b.Revoke("world.1"); err != nil {
		t.Fatal(err)
	}
	for _, n := range mustNodes(t, a) {
		if !n.Revoked {
			t.Errorf("%s is back", n.Node)
		}
	}
}

func mustNodes(tb testing.TB, a *Authority) []NodeInfo {
	tb.Helper()
	all, err := a.Nodes()
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestAuthority_CopyWithoutKeysSaysSo(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	if err := os.Remove(a.path(fileRegionKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(a.Dir()); err == nil || !strings.Contains(err.Error(), "gatepass bus init") {
		t.Fatalf("opened: %v", err)
	}
}

func TestNodeOf_TellsNothingOfWhatItCannotRead(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	for _, file := range []string{fileRegionKey, fileServerKey, FileSetup} {
		node, err := NodeOf(a.path(file))
		if err == nil {
			t.Errorf("%s is of %s", file, node)
			continue
		}
		seed, _ := os.ReadFile(a.path(file))
		if strings.Contains(err.Error(), strings.TrimSpace(string(seed))) {
			t.Errorf("%s: the error has the key in it", file)
		}
	}
	if _, err := NodeOf(filepath.Join(a.Dir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestCertificates_ForTheHostsAndLoopback(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t, "bus.example.org", "*.bus.example.org", "198.51.100.7", "2001:db8::7")
	check := func(hosts ...string) {
		t.Helper()
		leaf, roots := mustCertificate(t, a)
		for _, host := range hosts {
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
				t.Errorf("%s: %v", host, err)
			}
		}
		if leaf.VerifyHostname("elsewhere.example.org") == nil {
			t.Error("it is good for any host")
		}
		if years := leaf.NotAfter.Sub(leaf.NotBefore).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
			t.Errorf("it is good for %.1f years", years)
		}
	}
	check("bus.example.org", "b2.bus.example.org", "198.51.100.7", "2001:db8::7", "localhost", "127.0.0.1", "::1")
	if err := a.Certify(initOptions("new.example.org")); err != nil {
		t.Fatal(err)
	}
	check("new.example.org", "localhost")
	if err := a.Certify(initOptions("new.example.org:1")); err == nil {
		t.Error("a host with a port was taken")
	}
}

func mustCertificate(tb testing.TB, a *Authority) (*x509.Certificate, *x509.CertPool) {
	tb.Helper()
	cert, key, roots, err := readCertificates(a.Dir())
	if err != nil {
		tb.Fatal(err)
	}
	leaf, _, err := identity{cert, key}.parse()
	if err != nil {
		tb.Fatal(err)
	}
	return leaf, roots
}

// A server that outlived its certificate says what to do.
func TestCertificates_ExpiredIsTold(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	_, _, err := ServerTLS(a.Dir(), time.Now().AddDate(certificateYears, 0, 1))
	if err == nil || !strings.Contains(err.Error(), "gatepass bus certify") {
		t.Fatalf("taken: %v", err)
	}
}

// The snippet must be what a server of NATS' own takes, also after a change.
func TestSnippet_IsTakenByNATS(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t, "bus.example.org")
	mustCreds(t, a, "world.7")
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	o, err := natsserver.ProcessConfigFile(a.path(FileSnippet))
	if err != nil {
		t.Fatal(err)
	}
	if o.TLSConfig == nil || !o.JetStream || !o.SyncAlways || len(o.TrustedOperators) != 1 || o.MaxPayload != wire.MaxPayload {
		t.Errorf("it says %+v", o)
	}
	token, _ := os.ReadFile(a.path(FileRegion))
	conf, _ := os.ReadFile(a.path(FileSnippet))
	if !strings.Contains(string(conf), string(token)) {
		t.Error("it has not the newest token of the region")
	}
	if block, _ := pem.Decode(conf); block != nil || strings.Contains(string(conf), "SA") && strings.Contains(string(conf), "NKEY SEED") {
		t.Error("it has a key in it")
	}
}
