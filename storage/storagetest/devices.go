package storagetest

import (
	"context"
	"net/netip"
	"testing"

	"gatepass/storage"
)

func testDevicesComeBackWhole(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	c := MustOpen(t, engine)
	Fill(t, c, 1, 3)
	n, d := Account(1).Name, Device(7)
	d.LastAddr = netip.MustParseAddr("2001:db8::7")
	MustDo(t, c, AddDevice(n, d))
	for range 2 {
		r := Do(t, c, storage.Op{Kind: storage.OpDevice, Name: n, Device: &storage.Device{Family: d.Family}})
		if r.Err != nil || *r.Device != *d || r.Account.Grunt != Account(1).Grunt {
			t.Fatalf("%v: got %+v of %+v", r.Err, r.Device, r.Account)
		}
		MustClose(t, c)
		c = MustOpen(t, engine)
	}
	// Another family, another account, and no account.
	for _, miss := range []struct {
		name   storage.Name
		family [16]byte
		there  bool
	}{{n, Device(8).Family, true}, {n, [16]byte{}, true}, {Account(2).Name, d.Family, true}, {Account(3).Name, d.Family, false}} {
		r := Do(t, c, storage.Op{Kind: storage.OpDevice, Name: miss.name, Device: &storage.Device{Family: miss.family}})
		if r.Err != storage.ErrNotFound || r.Device != nil || (r.Account != nil) != miss.there {
			t.Errorf("%v: %+v", miss.name, r)
		}
	}
	if r := Do(t, c, storage.Op{Kind: storage.OpDevices, Name: Account(3).Name}); r.Err != storage.ErrNotFound {
		t.Error(r.Err)
	}
	WantDevices(t, c, Account(2).Name)
}

// Names with a common prefix have their own devices.
func testDevicesOfNamesThatBeginAlike(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	names := []string{"A", "AA", "AB", "A~", "B", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA~", "~"}
	for i, s := range names {
		a := Account(1)
		a.Name = MustName(t, s)
		MustDo(t, c, Create(a), AddDevice(a.Name, Device(i+1)))
	}
	for i, s := range names {
		WantDevices(t, c, MustName(t, s), i+1)
	}
	MustDo(t, c, storage.Op{Kind: storage.OpDelete, Name: MustName(t, "A")})
	for i, s := range names[1:] {
		WantDevices(t, c, MustName(t, s), i+2)
	}
}

// Later requests of a group see the devices that earlier ones added or removed.
func testDevicesWithinOneGroup(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 1, 2)
	n, a := Account(1).Name, Account(1)
	MustDo(t, c, AddDevice(n, Device(9)))
	all := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: &storage.Device{}}
	one := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: Device(1)}
	steps := []struct {
		op   storage.Op
		want error
	}{
		{AddDevice(n, Device(1)), nil},
		{Rotate(n, Device(1), 1, 2), nil},
		{one, nil},
		{one, storage.ErrNotFound},
		{Rotate(n, Device(1), 2, 3), storage.ErrNotFound},
		{Rotate(n, Device(9), 9, 10), nil},
		{all, nil},
		{Rotate(n, Device(9), 10, 11), storage.ErrNotFound},
		{AddDevice(n, Device(2)), nil},
		{storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: a}, nil},
		{Rotate(n, Device(2), 2, 3), storage.ErrNotFound},
		{AddDevice(n, Device(3)), nil},
		{storage.Op{Kind: storage.OpDelete, Name: n}, nil},
		{AddDevice(n, Device(3)), storage.ErrNotFound},
		{Create(a), nil},
		{Rotate(n, Device(3), 3, 4), storage.ErrNotFound},
		{AddDevice(n, Device(4)), nil},
	}
	var ops []storage.Op
	for _, s := range steps {
		ops = append(ops, s.op)
	}
	results, err := c.Do(context.Background(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != steps[i].want {
			t.Errorf("step %d (kind %d): %v, want %v", i, r.Kind, r.Err, steps[i].want)
		}
	}
	WantDevices(t, c, n, 4)
}

// A new password, a factor and a deletion remove the devices; other changes do not.
func testDevicesGoWithThePassword(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 1, 3)
	n, other := Account(1).Name, Account(2).Name
	MustDo(t, c, AddDevice(n, Device(1)), AddDevice(n, Device(2)), AddDevice(other, Device(3)))
	MustDo(t, c,
		storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{}}, storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 7}},
		HasCharacters(n, 4, 2), storage.Op{Kind: storage.OpLogin, Name: n, At: 2})
	WantDevices(t, c, n, 2, 1)
	a := Account(2)
	a.Name = n
	MustDo(t, c, storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: a})
	WantDevices(t, c, n)
	for _, factor := range []storage.Account{{PIN: "1234"}, {TOTPSecret: []byte("12345678901234567890")}} {
		MustDo(t, c, AddDeviceOf(a, Device(1)), storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &factor})
		WantDevices(t, c, n)
		a.PIN, a.TOTPSecret = factor.PIN, factor.TOTPSecret
	}
	MustDo(t, c, AddDeviceOf(a, Device(1)))
	MustDo(t, c, storage.Op{Kind: storage.OpDelete, Name: n})
	Fill(t, c, 1, 2)
	WantDevices(t, c, n)
	WantDevices(t, c, other, 3)
}
