package records

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

func anyBan(t *rapid.T) storage.Ban {
	text := rapid.StringN(0, -1, storage.MaxText)
	return storage.Ban{
		Set: true, Since: rapid.Int64().Draw(t, "since"), Until: rapid.Int64().Draw(t, "until"),
		Reason: text.Draw(t, "reason"), By: text.Draw(t, "by"),
	}
}

func anyAccount(t *rapid.T) *storage.Account {
	a := &storage.Account{Created: rapid.Int64().Draw(t, "created"), PIN: rapid.StringMatching(`([0-9]{4,10})?`).Draw(t, "pin")}
	if a.Grunt.Set = rapid.Bool().Draw(t, "grunt"); a.Grunt.Set {
		copy(a.Grunt.Salt[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt"))
		copy(a.Grunt.Verifier[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "verifier"))
	}
	if rapid.Bool().Draw(t, "banned") {
		a.Ban = anyBan(t)
	}
	if totp := rapid.SliceOfN(rapid.Byte(), 0, storage.MaxTOTPSecret).Draw(t, "totp"); len(totp) > 0 {
		a.TOTPSecret = totp
	}
	others := rapid.MapOfN(rapid.StringMatching(`[a-z0-9-]{1,32}`), rapid.SliceOfN(rapid.Byte(), 0, 300), 0, storage.MaxOthers)
	if m := others.Draw(t, "others"); len(m) > 0 {
		a.Others = m
	}
	a.Characters = anyCharacters(t)
	return a
}

func anyCharacters(t *rapid.T) (counts []storage.WorldCount) {
	count := rapid.Uint8Min(1)
	for _, world := range rapid.SliceOfNDistinct(rapid.Uint8Min(1), 0, 255, rapid.ID[uint8]).Draw(t, "worlds") {
		counts = append(counts, storage.WorldCount{World: world, Count: count.Draw(t, "count")})
	}
	slices.SortFunc(counts, func(a, b storage.WorldCount) int { return int(a.World) - int(b.World) })
	return counts
}

func TestAccount_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAccount(t)
		a.Name = storagetest.Account(1).Name
		if !storage.ValidAccount(a) {
			t.Fatal("not valid")
		}
		b := AppendAccount(nil, a)
		got := &storage.Account{Name: a.Name}
		if err := ParseAccount(b, got); err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, got, a)
		}
		// No shorter and no longer record is one.
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if err := ParseAccount(b[:cut], new(storage.Account)); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := ParseAccount(append(b, 0), new(storage.Account)); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("one byte more: %v", err)
		}
	})
}

func TestLogin_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := storage.LoginRecord{
			LastLogin: rapid.Int64().Draw(t, "login"), LastFailed: rapid.Int64().Draw(t, "failed at"),
			Failed: rapid.Uint32().Draw(t, "failed"),
		}
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")
		want.LastAddr, _ = netip.AddrFromSlice(raw[:rapid.SampledFrom([]int{0, 4, 16}).Draw(t, "size")])
		want.LastAddr = want.LastAddr.Unmap()
		b := AppendLogin(nil, &want)
		if got, err := ParseLogin(b); err != nil || got != want || len(b) > maxLoginRecord {
			t.Fatalf("%v, %d bytes\ngot  %+v\nwant %+v", err, len(b), got, want)
		}
	})
}

func TestAddressBan_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyBan(t)
		if got, err := ParseAddressBan(AppendAddressBan(nil, &want)); err != nil || got != want {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, got, want)
		}
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")
		addr, _ := netip.AddrFromSlice(raw[:rapid.SampledFrom([]int{4, 16}).Draw(t, "size")])
		p, _ := storage.FoldPrefix(netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits")))
		var k KeyBuf
		if got, err := PrefixOf(k.AddressBan(p)); err != nil || got != p {
			t.Fatalf("%v %v, want %v", got, err, p)
		}
	})
}

// Errors name the kind of record and nothing of what is in it.
func TestRecords_ErrorsSayWhat(t *testing.T) {
	_, login := ParseLogin([]byte{Version, 1})
	_, ban := ParseAddressBan(nil)
	for want, err := range map[string]error{
		"corrupt record: account":                   ParseAccount([]byte{Version, 0xff}, new(storage.Account)),
		"unknown version: account version 2":        ParseAccount([]byte{2}, new(storage.Account)),
		"corrupt record: login":                     login,
		"corrupt record: address ban":               ban,
		"of an unknown version: account version 99": ParseAccount([]byte{99, 1, 2}, new(storage.Account)),
	} {
		if !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q, want %q", err, want)
		}
	}
}

func FuzzParseAccount(f *testing.F) {
	a := storagetest.Account(1)
	f.Add(AppendAccount(nil, a))
	a.PIN, a.TOTPSecret, a.Ban = "1234", []byte("x"), storage.Ban{Set: true, Reason: "r", By: "b"}
	a.Others = map[string][]byte{"a": {1}, "b": {}}
	f.Add(AppendAccount(nil, a))
	a.Characters = []storage.WorldCount{{World: 1, Count: 2}, {World: 255, Count: 255}}
	f.Add(AppendAccount(nil, a))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := &storage.Account{Name: storagetest.Account(1).Name}
		if ParseAccount(b, a) != nil {
			return
		}
		if got := AppendAccount(nil, a); !bytes.Equal(got, b) {
			t.Fatalf("%x became %x", b, got)
		}
	})
}

func FuzzParseLogin(f *testing.F) {
	f.Add(AppendLogin(nil, &storage.LoginRecord{LastLogin: 1, LastAddr: netip.MustParseAddr("192.0.2.1")}))
	f.Add(AppendLogin(nil, &storage.LoginRecord{Failed: 1, LastAddr: netip.MustParseAddr("2001:db8::1")}))
	f.Add(AppendLogin(nil, &storage.LoginRecord{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLogin(b)
		if err != nil {
			return
		}
		if got := AppendLogin(nil, &l); !bytes.Equal(got, b) {
			t.Fatalf("%x became %x", b, got)
		}
	})
}

func FuzzParseAddressBan(f *testing.F) {
	f.Add([]byte{'b', 4, 10, 0, 0, 0, 8}, AppendAddressBan(nil, &storage.Ban{Since: 1, Until: 2, Reason: "r", By: "b"}))
	f.Fuzz(func(t *testing.T, key, b []byte) {
		if ban, err := ParseAddressBan(b); err == nil {
			if got := AppendAddressBan(nil, &ban); !bytes.Equal(got, b) {
				t.Fatalf("%x became %x", b, got)
			}
		}
		if len(key) == 0 || key[0] != PrefixAddressBan {
			return
		}
		if p, err := PrefixOf(key); err == nil {
			var k KeyBuf
			if got := k.AddressBan(p); !bytes.Equal(got, key) {
				t.Fatalf("%x became %x", key, got)
			}
		}
	})
}

func FuzzAccountKey(f *testing.F) {
	f.Add([]byte("Player"))
	f.Add([]byte("0123456789abcdef"))
	f.Add([]byte(" x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := storage.FoldName(raw)
		if err != nil {
			return
		}
		var k KeyBuf
		if back, err := NameOf(k.Account(&n)); err != nil || back != n {
			t.Fatalf("the key of %q is of %q, %v", n, back, err)
		}
	})
}
