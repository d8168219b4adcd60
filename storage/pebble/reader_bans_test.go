package pebble

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
	"gatepass/storage/storagetest"
)

// manyBans makes a store with n address bans in n networks of /24, all over IPv4, and a
// few of IPv6, in tables on fs.
func manyBans(t *testing.T, fs vfs.FS, n int) (prefixes []netip.Prefix) {
	t.Helper()
	c := mustOpen(t, fs)
	for i := range n {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(uint64(i)<<32/uint64(n)))
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4(a), 24).Masked())
	}
	prefixes = append(prefixes, netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fd00::/8"))
	ops := make([]storage.Op, len(prefixes))
	for i, p := range prefixes {
		ops[i] = storage.Op{Kind: storage.OpBanAddress, Prefix: p, Ban: storage.Ban{Reason: "r", By: byOf(p)}}
	}
	storagetest.MustDo(t, c, ops...)
	if err := c.Store().(*Store).db.Flush(); err != nil {
		t.Fatal(err)
	}
	storagetest.MustClose(t, c)
	return prefixes
}

// byOf returns a text that does not compress, so a table holds it unchanged.
func byOf(p netip.Prefix) string {
	sum := sha256.Sum256([]byte(p.String()))
	return string(sum[:])
}

func prefixesOf(bans []storage.AddressBan) (p []netip.Prefix) {
	for _, b := range bans {
		p = append(p, b.Prefix)
	}
	return p
}

// A damaged record is named, and all others are returned.
func TestAddressBans_DamagedRecord(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	good := netip.MustParsePrefix("203.0.113.0/24")
	storagetest.Do(t, c, storage.Op{Kind: storage.OpBanAddress, Prefix: good})
	db := c.Store().(*Store).db
	var k records.KeyBuf
	bad := map[string][]byte{
		string(k.AddressBan(netip.MustParsePrefix("10.0.0.0/8"))):      {},           // no record
		string(k.AddressBan(netip.MustParsePrefix("198.51.100.7/32"))): {99},         // a later version
		string(k.AddressBan(netip.MustParsePrefix("2001:db8::/32"))):   {1, 2, 3},    // cut
		string([]byte{records.PrefixAddressBan, 4, 1}):                 {1},          // a cut key
		string([]byte{records.PrefixAddressBan, 4, 10, 0, 0, 1, 8}):    {1},          // host bits
		string([]byte{records.PrefixAddressBan}):                       {},           // nothing but what it is
		string([]byte{records.PrefixAddressBan, 200, 1, 2}):            {1, 2, 3, 4}, // no address
	}
	for key, value := range bad {
		if err := db.Set([]byte(key), value, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	r := storagetest.Do(t, c, storage.Op{Kind: storage.OpAddressBans})
	if r.Err != nil || !slices.Equal(prefixesOf(r.AddressBans), []netip.Prefix{good}) || len(r.Damaged) != len(bad) {
		t.Fatalf("bans %v, damaged %q, error %v", r.AddressBans, r.Damaged, r.Err)
	}
	for _, name := range []string{"10.0.0.0/8", "198.51.100.7/32", "2001:db8::/32", "key 620401"} {
		if !slices.ContainsFunc(r.Damaged, func(d string) bool { return strings.HasPrefix(d, name) }) {
			t.Errorf("%s is not named in %q", name, r.Damaged)
		}
	}
	// It can be lifted like any ban.
	if r := storagetest.Do(t, c, storage.Op{Kind: storage.OpUnbanAddress, Prefix: netip.MustParsePrefix("10.0.0.0/8")}); r.Err != nil {
		t.Error(r.Err)
	}
}

// If a block of a table cannot be read, only the bans in it are missing.
func TestAddressBans_DamagedBlock(t *testing.T) {
	fs := vfs.NewMem()
	want := manyBans(t, fs, 2000)
	flipInTable(t, fs, byOf(want[1000]))
	c := mustOpen(t, fs)
	r := storagetest.Do(t, c, storage.Op{Kind: storage.OpAddressBans})
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	got := prefixesOf(r.AddressBans)
	if lost := len(want) - len(got); lost < 1 || lost > len(want)/4 {
		t.Errorf("%d of %d bans are lost", lost, len(want))
	}
	for _, p := range []netip.Prefix{want[0], want[1], want[len(want)-1], want[len(want)-2]} {
		if !slices.Contains(got, p) {
			t.Errorf("%s is lost", p)
		}
	}
	if slices.Contains(got, want[1000]) || len(r.Damaged) == 0 || !strings.HasPrefix(r.Damaged[0], "bans within ") {
		t.Errorf("damaged: %q", r.Damaged)
	}
}

// flipInTable changes a byte of the first table that has the text.
func flipInTable(t *testing.T, fs vfs.FS, text string) {
	t.Helper()
	names, err := fs.List("data/store")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := fs.PathJoin("data/store", name)
		b := readWhole(t, fs, path)
		if at := bytes.Index(b, []byte(text)); at >= 0 && strings.HasSuffix(name, ".sst") {
			b[at] ^= 1
			f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(b, 0); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			return
		}
	}
	t.Fatalf("no table has %q", text)
}

func readWhole(t *testing.T, fs vfs.FS, path string) []byte {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil && info.Size() > 0 {
		t.Fatal(err)
	}
	return b
}
