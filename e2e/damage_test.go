package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatepass/storage"
	"gatepass/storage/pebble"
)

// TestDamage_BlockOfAccounts: a server whose store has a damaged block serves everybody
// else, and who asks for the accounts in it again and again does not fill the log.
func TestDamage_BlockOfAccounts(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	var ops []storage.Op
	for i := range 3000 {
		a := &storage.Account{Name: foldName(t, fmt.Sprintf("DAMAGED%d", i)), Created: 1_700_000_000}
		a.Grunt = storage.GruntVerifier{Set: true, Salt: noise(a.Name, "salt"), Verifier: noise(a.Name, "verifier")}
		ops = append(ops, storage.Op{Kind: storage.OpCreate, Account: a})
	}
	middle := ops[1500].Account.Grunt.Verifier
	makeTables(t, data, ops)
	flipInTable(t, data, middle[:])
	lost := unreadable(t, data, ops)
	if len(lost) == 0 || len(lost) > len(ops)/10 {
		t.Fatalf("%d of %d accounts are damaged", len(lost), len(ops))
	}
	g := start(t, setup{data: data})
	g.healthy()
	before, errorsBefore := len(g.stderr.String()), g.metric("gatepass_logic_storage_errors_total")
	const challenges = 200
	for i := range challenges {
		c := dial(t, g.grunt, vanilla)
		c.send(c.hello(0x00, lost[i%len(lost)]))
		c.expect([]byte{0, 0, 0x08})
		c.close()
	}
	if n := g.metric("gatepass_logic_storage_errors_total") - errorsBefore; n != challenges {
		t.Errorf("%v storage errors are counted, want %d", n, challenges)
	}
	g.healthy()
	if out, err := account(data, "", "show", lost[0]); err == nil || !strings.Contains(out, "'gatepass store check'") || strings.Contains(out, "write") {
		t.Errorf("account show: %v\n%s", err, out)
	}
	g.stop()
	log := g.stderr.String()[before:]
	t.Logf("%d challenges for %d accounts: %d bytes of log\n%s", challenges, len(lost), len(log), log)
	if len(log) >= 4096 || !strings.Contains(log, "account could not be read") || !strings.Contains(log, " repeated=") {
		t.Errorf("%d bytes of log", len(log))
	}
	for _, bad := range []string{"goroutine", ".go:", "stack", "write"} {
		if strings.Contains(log, bad) {
			t.Errorf("the log has %q", bad)
		}
	}
}

// TestDamage_BlockOfBans: bans of addresses that can be read hold from the first client
// on; those that cannot are named, and operators are told.
func TestDamage_BlockOfBans(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	const bans = 2000
	var ops []storage.Op
	for i := range bans {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(uint64(i)<<32/bans))
		p := netip.PrefixFrom(netip.AddrFrom4(a), 24).Masked()
		if p.Contains(netip.MustParseAddr("127.0.0.1")) {
			continue
		}
		by := noise(p, "by")
		ops = append(ops, storage.Op{Kind: storage.OpBanAddress, Prefix: p, Ban: storage.Ban{Reason: "r", By: fmt.Sprintf("%x", by)}})
	}
	banned := netip.MustParsePrefix("127.9.9.0/24")
	ops = append(ops, storage.Op{Kind: storage.OpBanAddress, Prefix: banned, Ban: storage.Ban{Reason: "r"}})
	makeTables(t, data, ops)
	flipInTable(t, data, nil)
	part := damagedBans(t, data)

	g := start(t, setup{data: data})
	c := dialFrom(t, g.grunt, vanilla, "127.9.9.9")
	c.send(c.hello(0x00, demo.name))
	c.expect([]byte{0, 0, 0x03})
	c.expectClosed()
	g.healthy()
	if body := g.mustGet("/healthz"); !strings.HasPrefix(body, "degraded: ") || !strings.Contains(body, "address bans cannot be read") {
		t.Errorf("/healthz: %s", body)
	}
	if n := g.metric("gatepass_address_bans_damaged"); n < 1 {
		t.Errorf("%v bans are counted as damaged", n)
	}
	if log := g.stderr.String(); strings.Count(log, "address bans are damaged") != 1 || !strings.Contains(log, part) {
		t.Errorf("the log does not name %s once:\n%.2000s", part, log)
	}
	out, err := account(data, "", "list", "--addresses")
	if err == nil || !strings.Contains(out, banned.String()) || !strings.Contains(out, part) {
		t.Errorf("account list --addresses does not name %s: %v\n%.2000s", part, err, out)
	}
}

func foldName(t *testing.T, text string) storage.Name {
	t.Helper()
	n, err := storage.FoldName(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// noise is what a table holds as it is: it does not compress.
func noise(of fmt.Stringer, what string) [32]byte { return sha256.Sum256([]byte(what + of.String())) }

// makeTables makes a store with the results of ops in tables, as one that was restarted
// has them.
func makeTables(t *testing.T, data string, ops []storage.Op) {
	t.Helper()
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // an opening moves what the logs have into tables
		c, err := pebble.OpenClient(pebble.Options{Dir: filepath.Join(data, "accounts")})
		if err != nil {
			t.Fatal(err)
		}
		if len(ops) > 0 {
			results, err := c.Do(t.Context(), ops...)
			for i := range results {
				err = errors.Join(err, results[i].Err)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		ops = nil
	}
}

// flipInTable changes a byte of the text in the table that has it, or the middle of a
// table if there is none.
func flipInTable(t *testing.T, data string, text []byte) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(data, "accounts", "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tables {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(b, text)
		if len(text) == 0 {
			at = len(b) / 2
		}
		if at >= 0 {
			b[at] ^= 1
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("none of %d tables has the text", len(tables))
}

// unreadable are the names of the accounts made by ops that can be read no more.
func unreadable(t *testing.T, data string, ops []storage.Op) (names []string) {
	t.Helper()
	c, err := pebble.OpenClient(pebble.Options{Dir: filepath.Join(data, "accounts"), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range ops {
		results, err := c.Do(t.Context(), storage.Op{Kind: storage.OpGet, Name: ops[i].Account.Name, Brief: true})
		if err != nil {
			t.Fatal(err)
		}
		if errors.Is(results[0].Err, storage.ErrUnreadable) {
			names = append(names, ops[i].Account.Name.String())
		}
	}
	return names
}

// damagedBans names the first stretch of address bans that cannot be read.
func damagedBans(t *testing.T, data string) string {
	t.Helper()
	c, err := pebble.OpenClient(pebble.Options{Dir: filepath.Join(data, "accounts"), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	results, err := c.Do(t.Context(), storage.Op{Kind: storage.OpAddressBans})
	if err != nil || results[0].Err != nil || len(results[0].Damaged) == 0 {
		t.Fatalf("%v, %+v", err, results)
	}
	name, _, _ := strings.Cut(results[0].Damaged[0], ": ")
	return name
}
