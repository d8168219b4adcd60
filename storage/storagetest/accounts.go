package storagetest

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatepass/storage"
)

func testCreateComesBackWhole(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	c := MustOpen(t, engine)
	a := Account(1)
	a.PIN, a.TOTPSecret = "12345", []byte{1, 2, 3}
	a.Others = map[string][]byte{"srp6a-2048": []byte("xyz"), "other": {}}
	a.Ban = storage.Ban{Set: true, Since: 5, Until: 9, Reason: "bots", By: "gm"}
	MustDo(t, c, Create(a))
	if got := Do(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
		t.Fatalf("got %+v, want %+v", got, a)
	}
	secret := c.Store().Secret()
	MustClose(t, c)
	c = MustOpen(t, engine)
	if got := Do(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
		t.Fatalf("after reopening got %+v, want %+v", got, a)
	}
	if c.Store().Secret() != secret || secret == [32]byte{} {
		t.Fatal("the secret changed or was never made")
	}
}

// Each request sees the changes of earlier ones of the same group.
func testSubmitInOrder(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	a, n := Account(1), Account(1).Name
	other := Account(2)
	p := netip.MustParsePrefix("10.1.2.3/8")
	steps := []struct {
		op   storage.Op
		want error
	}{
		{storage.Op{Kind: storage.OpDelete, Name: n}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpBan, Name: n}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: other}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpSetFactors, Name: n, Account: other}, storage.ErrNotFound},
		{Create(a), nil},
		{Create(a), storage.ErrExists},
		{storage.Op{Kind: storage.OpUnban, Name: n}, storage.ErrNotBanned},
		{storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 7}}, nil},
		{storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: other}, nil},
		{storage.Op{Kind: storage.OpDelete, Name: n}, nil},
		{storage.Op{Kind: storage.OpUnban, Name: n}, storage.ErrNotFound},
		{Create(a), nil},
		{storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 8, Reason: "x"}}, nil},
		{storage.Op{Kind: storage.OpUnbanAddress, Prefix: p}, storage.ErrNotBanned},
		{storage.Op{Kind: storage.OpBanAddress, Prefix: p}, nil},
		{storage.Op{Kind: storage.OpUnbanAddress, Prefix: netip.MustParsePrefix("10.0.0.0/8")}, nil},
		{storage.Op{Kind: storage.OpUnbanAddress, Prefix: p}, storage.ErrNotBanned},
		{storage.Op{Kind: storage.OpBanAddress}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpLogin}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpCreate}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpSetFactors, Name: n}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{PIN: "123"}}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{TOTPSecret: make([]byte, storage.MaxTOTPSecret+1)}}, storage.ErrInvalid},
		{storage.Op{Kind: 99}, storage.ErrInvalid},
	}
	var ops []storage.Op
	for i, s := range steps {
		s.op.Tag = uint64(i) + 1000
		ops = append(ops, s.op)
	}
	results, err := c.Do(context.Background(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != steps[i].want || r.Tag != uint64(i)+1000 || r.Kind != ops[i].Kind {
			t.Errorf("step %d (kind %d): %v under tag %d, want %v", i, r.Kind, r.Err, r.Tag, steps[i].want)
		}
	}
	got := Do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account
	if got.Ban.Reason != "x" || got.Grunt != a.Grunt {
		t.Fatalf("got %+v", got)
	}
}

func testSetFactorsChangesNothingElse(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	c := MustOpen(t, engine)
	a := Account(1)
	a.PIN, a.Others = "12345", map[string][]byte{"other": {1}}
	a.Ban = storage.Ban{Set: true, Reason: "r"}
	MustDo(t, c, Create(a))
	for _, factors := range []storage.Account{{TOTPSecret: []byte{1, 2, 3}}, {}, {PIN: "0001", TOTPSecret: []byte{9}}} {
		MustDo(t, c, storage.Op{Kind: storage.OpSetFactors, Name: a.Name, Account: &factors})
		a.PIN, a.TOTPSecret = factors.PIN, factors.TOTPSecret
		if got := Do(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
			t.Fatalf("got %+v, want %+v", got, a)
		}
	}
	MustClose(t, c)
	if got := Do(t, MustOpen(t, engine), storage.Op{Kind: storage.OpGet, Name: a.Name}).Account; !reflect.DeepEqual(got, a) {
		t.Fatalf("after reopening got %+v, want %+v", got, a)
	}
}

func testListGoesOnBehindAName(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 0, 25)
	MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: Account(3).Name, At: 77})
	seen := map[storage.Name]bool{}
	var after storage.Name
	for {
		page := Do(t, c, storage.Op{Kind: storage.OpList, Name: after, Limit: 10}).Accounts
		if len(page) == 0 {
			break
		}
		if len(page) > 10 {
			t.Fatalf("page of %d", len(page))
		}
		for _, a := range page {
			if string(a.Name.Bytes()) <= string(after.Bytes()) {
				t.Fatalf("%v after %v", a.Name, after)
			}
			seen[a.Name], after = true, a.Name
			if a.Name == Account(3).Name && a.Login.LastLogin != 77 {
				t.Fatal("no login record in the list")
			}
		}
	}
	if len(seen) != 25 {
		t.Fatalf("saw %d accounts", len(seen))
	}
}

// A list ends at its limit, and no list is longer than storage.MaxList.
func testListLimit(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 0, storage.MaxList+10)
	for limit, want := range map[int]int{1: 1, 7: 7, storage.MaxList - 1: storage.MaxList - 1, storage.MaxList: storage.MaxList, 0: storage.MaxList, -1: storage.MaxList, storage.MaxList + 5: storage.MaxList} {
		if got := len(MustDo(t, c, storage.Op{Kind: storage.OpList, Limit: limit})[0].Accounts); got != want {
			t.Errorf("limit %d: %d accounts, want %d", limit, got, want)
		}
	}
}

func testDeleteThenCreateLeavesNoOldLogin(t *testing.T, newEngine NewEngine) {
	n := Account(1).Name
	login := storage.Op{Kind: storage.OpLogin, Name: n, At: 20}
	gone := storage.Op{Kind: storage.OpDelete, Name: n}
	for name, groups := range map[string][][]storage.Op{
		"one group":                    {{login, gone, Create(Account(1))}},
		"login after the deletion":     {{gone, login, Create(Account(1))}},
		"each a group":                 {{login}, {gone}, {Create(Account(1))}},
		"each a group, login too late": {{gone}, {login}, {Create(Account(1))}},
	} {
		t.Run(name, func(t *testing.T) {
			c := MustOpen(t, newEngine(t))
			Fill(t, c, 1, 2)
			for _, g := range groups {
				MustDo(t, c, g...)
			}
			if got := Do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account; got.Login != (storage.LoginRecord{}) {
				t.Fatalf("got %+v", got.Login)
			}
		})
	}
}

func testGetBriefLeavesTheLoginsOut(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	a := Account(1)
	MustDo(t, c, Create(a), storage.Op{Kind: storage.OpLogin, Name: a.Name, At: 77, Synced: true})
	whole := MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name})[0].Account
	brief := MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: a.Name, Brief: true})[0].Account
	if whole.Login.LastLogin != 77 || brief.Login != (storage.LoginRecord{}) {
		t.Fatalf("logins: whole %+v, brief %+v", whole.Login, brief.Login)
	}
	whole.Login = storage.LoginRecord{}
	if !reflect.DeepEqual(whole, brief) {
		t.Fatalf("whole %+v, brief %+v", whole, brief)
	}
	if r := Do(t, c, storage.Op{Kind: storage.OpGet, Name: Account(2).Name, Brief: true}); !errors.Is(r.Err, storage.ErrNotFound) || r.Account != nil {
		t.Fatalf("an account that is not there: %+v", r)
	}
}

func testLogins(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	n, addr := Account(1).Name, netip.MustParseAddr("192.0.2.1")
	Fill(t, c, 1, 2)
	failed := func(at int64) storage.Op { return storage.Op{Kind: storage.OpLoginFailed, Name: n, At: at} }
	record := func() storage.LoginRecord { return Do(t, c, storage.Op{Kind: storage.OpGet, Name: n}).Account.Login }

	MustDo(t, c, failed(10), failed(11))
	MustDo(t, c, failed(12))
	if got, want := record(), (storage.LoginRecord{LastFailed: 12, Failed: 3}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: n, At: 20, Addr: addr})
	MustDo(t, c, failed(21))
	if got, want := record(), (storage.LoginRecord{LastLogin: 20, LastAddr: addr, LastFailed: 21, Failed: 1}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	MustDo(t, c, storage.Op{Kind: storage.OpLoginFailed, Name: MustName(t, "nobody"), At: 1})
	if err := Do(t, c, storage.Op{Kind: storage.OpGet, Name: MustName(t, "nobody")}).Err; err != storage.ErrNotFound {
		t.Fatalf("nobody: %v", err)
	}
}

func testAddressBans(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	ban := storage.Ban{Set: true, Since: 1, Until: 2, Reason: "r", By: "b"}
	for _, s := range []string{"10.1.2.3/8", "2001:db8::1/32", "::ffff:10.9.9.9/104", "192.0.2.7/32"} {
		MustDo(t, c, storage.Op{Kind: storage.OpBanAddress, Prefix: netip.MustParsePrefix(s), Ban: ban})
	}
	bans := Do(t, c, storage.Op{Kind: storage.OpAddressBans}).AddressBans
	var got []string
	for _, b := range bans {
		got = append(got, b.Prefix.String())
		if b.Ban != ban {
			t.Errorf("%v: %+v", b.Prefix, b.Ban)
		}
	}
	if want := "10.0.0.0/8 192.0.2.7/32 2001:db8::/32"; strings.Join(got, " ") != want {
		t.Fatalf("bans %v, want %v", got, want)
	}
}

// Devices of a new account are stored as they are, expired ones too.
func testCreateWithDevices(t *testing.T, newEngine NewEngine) {
	a, one, two := Account(1), *Device(1), *Device(2)
	one.LastAddr, two.Expires = netip.MustParseAddr("192.0.2.7"), 1
	c := MustOpen(t, newEngine(t))
	for name, devices := range map[string][]storage.Device{
		"a family twice": {one, one},
		"no family":      {{ID: one.ID}},
		"too many":       slices.Repeat([]storage.Device{one}, storage.MaxDevices+1),
	} {
		if r := Do(t, c, storage.Op{Kind: storage.OpCreate, Name: a.Name, Account: a, Devices: devices}); !errors.Is(r.Err, storage.ErrInvalid) {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
	if r := Do(t, c, storage.Op{Kind: storage.OpCreate, Name: a.Name, Account: a, Devices: []storage.Device{one, two}}); r.Err != nil {
		t.Fatal(r.Err)
	}
	if r := Do(t, c, storage.Op{Kind: storage.OpCreate, Name: a.Name, Account: a, Devices: []storage.Device{*Device(3)}}); !errors.Is(r.Err, storage.ErrExists) {
		t.Fatal(r.Err)
	}
	r := Do(t, c, storage.Op{Kind: storage.OpDevices, Name: a.Name})
	if len(r.Devices) != 2 || !slices.Contains(r.Devices, one) || !slices.Contains(r.Devices, two) {
		t.Errorf("%+v", r.Devices)
	}
	r = Do(t, c, storage.Op{Kind: storage.OpDevices, Name: a.Name, Brief: true})
	for _, d := range r.Devices {
		if d.Key != [32]byte{} || d.Verifier != [32]byte{} || d.Family == [16]byte{} {
			t.Errorf("brief: %#v", d.Family)
		}
	}
}
