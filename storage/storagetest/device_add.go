package storagetest

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"gatepass/storage"
)

func testAddDeviceSameDeviceIsReplaced(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 1, 2)
	n, again := Account(1).Name, Device(2)
	again.ID = Device(1).ID
	MustDo(t, c, AddDevice(n, Device(1)), AddDevice(n, Device(3)), AddDevice(n, again))
	WantDevices(t, c, n, 3, 2)
	again.Name = "other"
	MustDo(t, c, AddDevice(n, again)) // the same token once more
	WantDevices(t, c, n, 3, 2)
	if list := MustDo(t, c, storage.Op{Kind: storage.OpDevices, Name: n})[0].Devices; list[1].Name != "other" {
		t.Fatalf("%+v", list)
	}
}

// Of too many devices the one used longest ago is removed, within one group or not.
func testAddDeviceTooManyTheOneUsedLongestAgoGoes(t *testing.T, newEngine NewEngine) {
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := MustOpen(t, newEngine(t))
			Fill(t, c, 1, 2)
			n := Account(1).Name
			var ops []storage.Op
			for i := range storage.MaxDevices {
				ops = append(ops, AddDevice(n, Device(i+10)))
			}
			used := Rotate(n, Device(10), 10, 99)
			used.At = 90
			// The first has been used since; the next two are removed for two new ones.
			ops = append(ops, used, AddDevice(n, Device(80)), AddDevice(n, Device(5)))
			for len(ops) > 0 {
				take := 1
				if oneGroup {
					take = len(ops)
				}
				MustDo(t, c, ops[:take]...)
				ops = ops[take:]
			}
			want := []int{10, 80}
			for i := storage.MaxDevices - 1; i > 2; i-- {
				want = append(want, i+10)
			}
			// The newest is never removed, whatever its last use.
			WantDevices(t, c, n, append(want, 5)...)
		})
	}
}

func testAddDeviceExpiredOnesGoFirst(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 1, 2)
	n := Account(1).Name
	for i := range storage.MaxDevices {
		d := Device(i + 10)
		d.Expires = int64(100 + i%2)
		MustDo(t, c, AddDevice(n, d))
	}
	if got := MustDevices(t, c, n); len(got) != storage.MaxDevices {
		t.Fatalf("got %v", got)
	}
	op := AddDevice(n, Device(1))
	op.At = 100
	MustDo(t, c, op)
	WantDevices(t, c, n, 25, 23, 21, 19, 17, 15, 13, 11, 1)

	// Without Op.At the time of the device counts.
	late := Device(2)
	late.Created = 101
	MustDo(t, c, AddDevice(n, late))
	WantDevices(t, c, n, 2, 1)
}

func testAddDeviceRefused(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 1, 2)
	long, nobody, timeless := Device(1), Device(2), Device(3)
	timeless.Created = 0
	long.Name = string(make([]byte, storage.MaxDeviceName+1))
	nobody.Family = [16]byte{}
	n := Account(1).Name
	for _, step := range []struct {
		op   storage.Op
		want error
	}{
		{AddDevice(n, nil), storage.ErrInvalid},
		{AddDevice(n, long), storage.ErrInvalid},
		{AddDevice(n, nobody), storage.ErrInvalid},
		{AddDevice(n, timeless), storage.ErrInvalid},
		{AddDevice(MustName(t, "nobody"), Device(1)), storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRotateDevice, Name: n}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpDevice, Name: n}, storage.ErrInvalid},
		{Rotate(n, Device(1), 1, 2), storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: Device(1)}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: ByID(1)}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: MustName(t, "nobody"), Device: ByID(1)}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: &storage.Device{}}, nil},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: MustName(t, "nobody"), Device: &storage.Device{}}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: MustName(t, "nobody"), Device: Device(1)}, storage.ErrNotFound},
	} {
		if r := Do(t, c, step.op); r.Err != step.want {
			t.Errorf("kind %d with %+v: %v, want %v", step.op.Kind, step.op.Device, r.Err, step.want)
		}
	}
	WantDevices(t, c, n)
}

// Credentials proven before a change add no device after it, within one group or not, and
// the change has removed the older devices.
func testAddDeviceAfterAChangeIsRefused(t *testing.T, newEngine NewEngine) {
	changes := map[string]func(n storage.Name) []storage.Op{
		"another password": func(n storage.Name) []storage.Op {
			return []storage.Op{{Kind: storage.OpSetVerifier, Name: n, Account: Account(2)}}
		},
		"another native verifier": func(n storage.Name) []storage.Op {
			a := Account(1)
			a.Others = map[string][]byte{"p": {1}}
			return []storage.Op{{Kind: storage.OpSetVerifier, Name: n, Account: a}}
		},
		"a PIN": func(n storage.Name) []storage.Op {
			return []storage.Op{{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{PIN: "1234"}}}
		},
		"a code": func(n storage.Name) []storage.Op {
			return []storage.Op{{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{TOTPSecret: []byte{1}}}}
		},
		"another account of that name": func(n storage.Name) []storage.Op {
			a := Account(2)
			a.Name = n
			return []storage.Op{{Kind: storage.OpDelete, Name: n}, Create(a)}
		},
	}
	for name, change := range changes {
		for _, oneGroup := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, one group %v", name, oneGroup), func(t *testing.T) {
				c := MustOpen(t, newEngine(t))
				Fill(t, c, 1, 2)
				n := Account(1).Name
				MustDo(t, c, AddDevice(n, Device(1)))
				ops := append(change(n), AddDevice(n, Device(2)), Rotate(n, Device(1), 1, 2))
				var results []storage.Result
				if oneGroup {
					var err error
					if results, err = c.Do(context.Background(), ops...); err != nil {
						t.Fatal(err)
					}
				} else {
					for _, op := range ops {
						results = append(results, Do(t, c, op))
					}
				}
				last := len(results) - 1
				if results[last-1].Err != storage.ErrConflict || results[last].Err != storage.ErrNotFound {
					t.Errorf("add: %v, rotate: %v", results[last-1].Err, results[last].Err)
				}
				WantDevices(t, c, n)
			})
		}
	}
}

// Whether the writes come in one group or each in its own makes no difference.
func testRemoveDeviceByID(t *testing.T, newEngine NewEngine) {
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := MustOpen(t, newEngine(t))
			Fill(t, c, 1, 3)
			n, other := Account(1).Name, Account(2).Name
			remove := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: ByID(2)}
			ops := []storage.Op{
				AddDevice(n, Device(1)), AddDevice(n, Device(2)), AddDevice(n, Device(3)), AddDevice(other, Device(2)),
				Rotate(n, Device(2), 2, 20), remove,
			}
			for len(ops) > 0 {
				take := 1
				if oneGroup {
					take = len(ops)
				}
				MustDo(t, c, ops[:take]...)
				ops = ops[take:]
			}
			WantDevices(t, c, n, 3, 1)
			WantDevices(t, c, other, 2)
			if r := Do(t, c, remove); r.Err != storage.ErrNotFound {
				t.Errorf("once more: %v", r.Err)
			}
			// If a family is given, it decides.
			mixed := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: &storage.Device{Family: Device(1).Family, ID: Device(3).ID}}
			MustDo(t, c, mixed)
			WantDevices(t, c, n, 3)
		})
	}
}

// Of several rotations that expect the same verifier one succeeds, in one group or not.
func testRotateDeviceOneWins(t *testing.T, newEngine NewEngine) {
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := MustOpen(t, newEngine(t))
			Fill(t, c, 1, 2)
			n, d := Account(1).Name, Device(1)
			MustDo(t, c, AddDevice(n, d))
			ops := []storage.Op{Rotate(n, d, 1, 20), Rotate(n, d, 1, 30), Rotate(n, d, 20, 40), Rotate(n, d, 1, 50)}
			for i := range ops {
				ops[i].At, ops[i].Addr = int64(i+1), netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
			}
			var results []storage.Result
			for todo := ops; len(todo) > 0; {
				take := 1
				if oneGroup {
					take = len(todo)
				}
				rs, err := c.Do(context.Background(), todo[:take]...)
				if err != nil {
					t.Fatal(err)
				}
				results, todo = append(results, rs...), todo[take:]
			}
			for i, want := range []error{nil, storage.ErrConflict, nil, storage.ErrConflict} {
				if results[i].Err != want {
					t.Errorf("rotation %d: %v, want %v", i, results[i].Err, want)
				}
			}
			want := *d
			want.Verifier, want.LastUsed, want.LastAddr = Proof(40), 3, ops[2].Addr
			if got := *Do(t, c, storage.Op{Kind: storage.OpDevice, Name: n, Device: d}).Device; got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		})
	}
}
