package admin

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"gatepass/accounts"
	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// A full export that is imported into an empty store gives an equal store: every
// byte under every key is the same. What the accounts hold is drawn by reflection, so
// a field that is added to them and not to the export fails here. The way over the
// control socket of a running server gives the same.
func TestExport_GivesAnEqualStore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		live := rapid.Bool().Draw(rt, "over the socket")
		first, second := newWholeStore(t, live), newWholeStore(t, live)
		want := first.fillWith(rt)
		text := mustExport(t, first.asked, accounts.ExportOptions{
			Format:  accounts.FormatNDJSON,
			Columns: rapid.SampledFrom([]accounts.Columns{accounts.ColumnsTrinity, accounts.ColumnsMangos}).Draw(rt, "columns"),
		})
		report, bad := mustImport(t, second.asked, text)
		if bad != nil || report.Added != want {
			rt.Fatalf("%+v, %v, want %d\n%s", report, bad, want, text)
		}
		a, b := first.bytes(t), second.bytes(t)
		for _, key := range slices.Sorted(maps.Keys(a)) {
			if !bytes.Equal(a[key], b[key]) {
				rt.Errorf("%q was\n%q and is\n%q", key, a[key], b[key])
			}
			delete(b, key)
		}
		for key := range b {
			rt.Errorf("%q is new", key)
		}
	})
}

// wholeStore is a store of which every byte can be read.
type wholeStore struct {
	fs     *vfs.MemFS
	client *storage.Client
	// direct works on the store, asked on it or on the server before it.
	direct, asked *accounts.Manager
	server        *controlServer
}

func newWholeStore(t *testing.T, live bool) *wholeStore {
	t.Helper()
	s := &wholeStore{fs: vfs.NewMem()}
	s.client = openStore(t, s.fs)
	s.direct = accounts.New(s.client, testOptions())
	s.asked = s.direct
	if live {
		s.server = startControl(t, s.direct, SocketPath(t.TempDir()))
		s.asked = accounts.New(mustDial(t, s.server.path), testOptions())
	}
	return s
}

// bytes closes the store and reads all that is under its keys, without what is the
// store's own.
func (s *wholeStore) bytes(t *testing.T) map[string][]byte {
	t.Helper()
	if s.server != nil {
		s.server.shutdown()
	}
	if err := s.client.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open("store", &pebble.Options{FS: s.fs, ReadOnly: true, FormatMajorVersion: pebble.FormatNewest, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	it, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	all := make(map[string][]byte)
	for it.First(); it.Valid(); it.Next() {
		if key := string(it.Key()); !strings.HasPrefix(key, "m") {
			all[key] = bytes.Clone(it.Value())
		}
	}
	if err := it.Error(); err != nil {
		t.Fatal(err)
	}
	return all
}

// fillWith stores drawn accounts, devices and address bans, and tells how many accounts.
func (s *wholeStore) fillWith(t *rapid.T) int {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[!-9;-~]([ -9;-~]{0,14}[!-9;-~])?`), 0, 4, strings.ToUpper).Draw(t, "names")
	for _, raw := range names {
		var a storage.Account
		drawInto(t, reflect.ValueOf(&a).Elem(), "account")
		name, err := storage.FoldName(raw)
		if err != nil {
			t.Fatal(err)
		}
		a.Name = name
		mustDo(t, s.direct, storage.Op{Kind: storage.OpCreate, Name: name, Account: &a})
		for i := range rapid.IntRange(0, 3).Draw(t, "devices") {
			var d storage.Device
			drawInto(t, reflect.ValueOf(&d).Elem(), "device")
			d.Family[0], d.ID[0], d.Expires = byte(i+1), byte(i+1), 4_000_000_000
			mustDo(t, s.direct, storage.Op{Kind: storage.OpAddDevice, Name: name, Device: &d, At: testTime, Proven: a.Credentials()})
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "addresses") {
		var b storage.AddressBan
		drawInto(t, reflect.ValueOf(&b).Elem(), "address")
		mustDo(t, s.direct, storage.Op{Kind: storage.OpBanAddress, Prefix: b.Prefix, Ban: b.Ban})
	}
	return len(names)
}

// drawInto fills every field of v, at every depth, with something a store may hold.
func drawInto(t *rapid.T, v reflect.Value, path string) {
	if drawKnown(t, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			drawInto(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, path))
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(rapid.Uint64Range(0, 1<<v.Type().Bits()-1).Draw(t, path))
	case reflect.Int64:
		// All stored numbers of this kind are times; a clock may have been wrong.
		v.SetInt(rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, 4_000_000_000), rapid.Int64Range(-60_000_000_000, 200_000_000_000)).Draw(t, path))
	case reflect.Array:
		reflect.Copy(v, reflect.ValueOf(rapid.SliceOfN(rapid.Byte(), v.Len(), v.Len()).Draw(t, path)))
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"", "a \"reason\", <b> & ž", "NULL", `\N`, "'", "漢字"}).Draw(t, path))
	default:
		t.Fatalf("%s is of a kind that this test does not draw: %v. Draw it here, and see that the export has it", path, v.Type())
	}
}

// drawKnown draws what has rules of its own.
func drawKnown(t *rapid.T, v reflect.Value, path string) bool {
	switch field := v.Addr().Interface().(type) {
	case *storage.Name: // the caller's
	case *netip.Addr:
		*field = rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::1")}).Draw(t, path)
	case *netip.Prefix:
		*field = rapid.SampledFrom([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/48"), netip.MustParsePrefix("192.0.2.7/32")}).Draw(t, path)
	case *storage.GruntVerifier:
		drawGrunt(t, field, path)
	case *storage.Ban:
		if rapid.Bool().Draw(t, path) || strings.HasPrefix(path, "address") {
			field.Set = true
			drawInto(t, reflect.ValueOf(&field.Since).Elem(), path+".Since")
			drawInto(t, reflect.ValueOf(&field.Until).Elem(), path+".Until")
			drawInto(t, reflect.ValueOf(&field.Reason).Elem(), path+".Reason")
			drawInto(t, reflect.ValueOf(&field.By).Elem(), path+".By")
			if want := 5; reflect.TypeOf(*field).NumField() != want {
				t.Fatalf("storage.Ban has other fields than the %d drawn here", want)
			}
		}
	case *map[string][]byte:
		*field = map[string][]byte{accounts.ProtocolNative: drawNative(t)}
		if rapid.Bool().Draw(t, path) {
			(*field)["later"] = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, path)
		}
	case *[]storage.WorldCount:
		for world := range uint8(3) {
			if rapid.Bool().Draw(t, fmt.Sprint(path, world)) {
				*field = append(*field, storage.WorldCount{World: world*100 + 1, Count: rapid.Uint8Range(1, 255).Draw(t, path)})
			}
		}
	case *[]byte:
		*field = rapid.SliceOfN(rapid.Byte(), 0, storage.MaxTOTPSecret).Draw(t, path)
	case *string:
		if !strings.HasSuffix(path, ".PIN") {
			return false
		}
		*field = rapid.StringMatching(`([0-9]{4,10})?`).Draw(t, path)
	default:
		return false
	}
	return true
}

// drawNative draws a native verifier; any salt goes with any V.
func drawNative(t *rapid.T) []byte {
	p := testOptions().Native
	v := srp6a.Verifier{Group: p.Group, KDF: p.KDF, Salt: [32]byte{}, V: make([]byte, p.Group.Size())}
	copy(v.Salt[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "native salt"))
	v.V[len(v.V)-1] = 4
	return v.Append(nil)
}

// drawGrunt draws verifiers with the zeros at either end that lose digits, and salts
// that are all zeros.
func drawGrunt(t *rapid.T, g *storage.GruntVerifier, path string) {
	if g.Set = rapid.Bool().Draw(t, path); !g.Set {
		return
	}
	if rapid.Bool().Draw(t, path) {
		copy(g.Salt[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, path))
	}
	copy(g.Verifier[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, path))
	g.Verifier[0] |= 2 // not 0 or 1
	g.Verifier[31] = rapid.SampledFrom([]byte{0, 1, 0x80}).Draw(t, path)
}

// silent drops what the database says of itself.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}
