package pebble

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"gatepass/storage"
)

// device is the i-th device of a test, used last at the second i, for ever.
func device(i int) *storage.Device {
	d := &storage.Device{Name: fmt.Sprintf("laptop %d", i), Created: 1, Expires: 1 << 40, LastUsed: int64(i)}
	d.Family[0], d.Family[15], d.ID[0], d.ID[15] = byte(i), 1, byte(i), 2
	d.Key[3], d.Verifier = byte(i), proof(i)
	return d
}

// proof is the i-th verifier of a test.
func proof(i int) (v [32]byte) {
	order.PutUint32(v[:], uint32(i))
	return v
}

// addDevice is a request for an account that fill has made, by whoever proved its
// first password.
func addDevice(n storage.Name, d *storage.Device) storage.Op {
	i := 1
	_, _ = fmt.Sscanf(n.String(), "PLAYER%d", &i)
	a := numbered(i)
	a.Name = n
	return addDeviceOf(a, d)
}

// addDeviceOf is a request by whoever proved the password of a, as a is.
func addDeviceOf(a *storage.Account, d *storage.Device) storage.Op {
	return storage.Op{Kind: storage.OpAddDevice, Name: a.Name, Device: d, Proven: a.Credentials()}
}

// rotate replaces the verifier from by to.
func rotate(n storage.Name, d *storage.Device, from, to int) storage.Op {
	next := *d
	next.Verifier = proof(to)
	return storage.Op{Kind: storage.OpRotateDevice, Name: n, Device: &next, Expect: proof(from)}
}

// mustDevices reads what an account has, by the number of their names.
func mustDevices(t testing.TB, c *storage.Client, n storage.Name) (numbers []int) {
	t.Helper()
	for _, d := range mustDo(t, c, storage.Op{Kind: storage.OpDevices, Name: n})[0].Devices {
		numbers = append(numbers, int(d.Family[0]))
	}
	return numbers
}

func wantDevices(t testing.TB, c *storage.Client, n storage.Name, want ...int) {
	t.Helper()
	if got := mustDevices(t, c, n); !slices.Equal(got, want) {
		t.Fatalf("%v: got the devices %v, want %v", n, got, want)
	}
}

func TestDevices_ComeBackWhole(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	fill(t, c, 1, 3)
	n, d := numbered(1).Name, device(7)
	d.LastAddr = netip.MustParseAddr("2001:db8::7")
	mustDo(t, c, addDevice(n, d))
	for range 2 {
		r := do(t, c, storage.Op{Kind: storage.OpDevice, Name: n, Device: &storage.Device{Family: d.Family}})
		if r.Err != nil || *r.Device != *d || r.Account.Grunt != numbered(1).Grunt {
			t.Fatalf("%v: got %+v of %+v", r.Err, r.Device, r.Account)
		}
		mustClose(t, c)
		c = mustOpen(t, fs)
	}
	// Another family, another account, and no account.
	for _, miss := range []struct {
		name   storage.Name
		family [16]byte
		there  bool
	}{{n, device(8).Family, true}, {n, [16]byte{}, true}, {numbered(2).Name, d.Family, true}, {numbered(3).Name, d.Family, false}} {
		r := do(t, c, storage.Op{Kind: storage.OpDevice, Name: miss.name, Device: &storage.Device{Family: miss.family}})
		if r.Err != storage.ErrNotFound || r.Device != nil || (r.Account != nil) != miss.there {
			t.Errorf("%v: %+v", miss.name, r)
		}
	}
	if r := do(t, c, storage.Op{Kind: storage.OpDevices, Name: numbered(3).Name}); r.Err != storage.ErrNotFound {
		t.Error(r.Err)
	}
	wantDevices(t, c, numbered(2).Name)
}

// Names that begin alike have devices of their own.
func TestDevices_OfNamesThatBeginAlike(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	names := []string{"A", "AA", "AB", "A~", "B", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA~", "~"}
	for i, s := range names {
		a := numbered(1)
		a.Name = mustName(t, s)
		mustDo(t, c, create(a), addDevice(a.Name, device(i+1)))
	}
	for i, s := range names {
		wantDevices(t, c, mustName(t, s), i+1)
	}
	mustDo(t, c, storage.Op{Kind: storage.OpDelete, Name: mustName(t, "A")})
	for i, s := range names[1:] {
		wantDevices(t, c, mustName(t, s), i+2)
	}
}

func TestAddDevice_SameDevice_IsReplaced(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 2)
	n, again := numbered(1).Name, device(2)
	again.ID = device(1).ID
	mustDo(t, c, addDevice(n, device(1)), addDevice(n, device(3)), addDevice(n, again))
	wantDevices(t, c, n, 3, 2)
	again.Name = "other"
	mustDo(t, c, addDevice(n, again)) // the same token once more
	wantDevices(t, c, n, 3, 2)
	if list := mustDo(t, c, storage.Op{Kind: storage.OpDevices, Name: n})[0].Devices; list[1].Name != "other" {
		t.Fatalf("%+v", list)
	}
}

// Whether the writes come in one group or each in its own makes no difference.
func TestAddDevice_TooMany_TheOneUsedLongestAgoGoes(t *testing.T) {
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, vfs.NewMem())
			fill(t, c, 1, 2)
			n := numbered(1).Name
			var ops []storage.Op
			for i := range storage.MaxDevices {
				ops = append(ops, addDevice(n, device(i+10)))
			}
			used := rotate(n, device(10), 10, 99)
			used.At = 90
			// The first was used meanwhile; the next two make room for two more.
			ops = append(ops, used, addDevice(n, device(80)), addDevice(n, device(5)))
			for len(ops) > 0 {
				take := 1
				if oneGroup {
					take = len(ops)
				}
				mustDo(t, c, ops[:take]...)
				ops = ops[take:]
			}
			want := []int{10, 80}
			for i := storage.MaxDevices - 1; i > 2; i-- {
				want = append(want, i+10)
			}
			// The newest is never the one that goes, however long ago it says it was used.
			wantDevices(t, c, n, append(want, 5)...)
		})
	}
}

func TestAddDevice_ExpiredOnesGoFirst(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 2)
	n := numbered(1).Name
	for i := range storage.MaxDevices {
		d := device(i + 10)
		d.Expires = int64(100 + i%2)
		mustDo(t, c, addDevice(n, d))
	}
	if got := mustDevices(t, c, n); len(got) != storage.MaxDevices {
		t.Fatalf("got %v", got)
	}
	op := addDevice(n, device(1))
	op.At = 100
	mustDo(t, c, op)
	wantDevices(t, c, n, 25, 23, 21, 19, 17, 15, 13, 11, 1)

	// Who says no time means that of the device.
	late := device(2)
	late.Created = 101
	mustDo(t, c, addDevice(n, late))
	wantDevices(t, c, n, 2, 1)
}

// byID names the i-th device of a test as it knows itself.
func byID(i int) *storage.Device { return &storage.Device{ID: device(i).ID} }

// Whether the writes come in one group or each in its own makes no difference.
func TestRemoveDevice_ByID(t *testing.T) {
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, vfs.NewMem())
			fill(t, c, 1, 3)
			n, other := numbered(1).Name, numbered(2).Name
			remove := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: byID(2)}
			ops := []storage.Op{
				addDevice(n, device(1)), addDevice(n, device(2)), addDevice(n, device(3)), addDevice(other, device(2)),
				rotate(n, device(2), 2, 20), remove,
			}
			for len(ops) > 0 {
				take := 1
				if oneGroup {
					take = len(ops)
				}
				mustDo(t, c, ops[:take]...)
				ops = ops[take:]
			}
			wantDevices(t, c, n, 3, 1)
			wantDevices(t, c, other, 2)
			if r := do(t, c, remove); r.Err != storage.ErrNotFound {
				t.Errorf("once more: %v", r.Err)
			}
			// The family counts where there is one.
			mixed := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: &storage.Device{Family: device(1).Family, ID: device(3).ID}}
			mustDo(t, c, mixed)
			wantDevices(t, c, n, 3)
		})
	}
}

func TestAddDevice_Refused(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 2)
	long, nobody, timeless := device(1), device(2), device(3)
	timeless.Created = 0
	long.Name = string(make([]byte, storage.MaxDeviceName+1))
	nobody.Family = [16]byte{}
	n := numbered(1).Name
	for _, step := range []struct {
		op   storage.Op
		want error
	}{
		{addDevice(n, nil), storage.ErrInvalid},
		{addDevice(n, long), storage.ErrInvalid},
		{addDevice(n, nobody), storage.ErrInvalid},
		{addDevice(n, timeless), storage.ErrInvalid},
		{addDevice(mustName(t, "nobody"), device(1)), storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRotateDevice, Name: n}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n}, storage.ErrInvalid},
		{storage.Op{Kind: storage.OpDevice, Name: n}, storage.ErrInvalid},
		{rotate(n, device(1), 1, 2), storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: device(1)}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: byID(1)}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: mustName(t, "nobody"), Device: byID(1)}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: &storage.Device{}}, nil},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: mustName(t, "nobody"), Device: &storage.Device{}}, storage.ErrNotFound},
		{storage.Op{Kind: storage.OpRemoveDevice, Name: mustName(t, "nobody"), Device: device(1)}, storage.ErrNotFound},
	} {
		if r := do(t, c, step.op); r.Err != step.want {
			t.Errorf("kind %d with %+v: %v, want %v", step.op.Kind, step.op.Device, r.Err, step.want)
		}
	}
	wantDevices(t, c, n)
}

// Of those that come with one token, in one group or not, one is let in.
func TestRotateDevice_OneWins(t *testing.T) {
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, vfs.NewMem())
			fill(t, c, 1, 2)
			n, d := numbered(1).Name, device(1)
			mustDo(t, c, addDevice(n, d))
			ops := []storage.Op{rotate(n, d, 1, 20), rotate(n, d, 1, 30), rotate(n, d, 20, 40), rotate(n, d, 1, 50)}
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
			want.Verifier, want.LastUsed, want.LastAddr = proof(40), 3, ops[2].Addr
			if got := *do(t, c, storage.Op{Kind: storage.OpDevice, Name: n, Device: d}).Device; got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A device that was removed in a group is not there for what follows in it, and
// one that was added is.
func TestDevices_WithinOneGroup(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 2)
	n, a := numbered(1).Name, numbered(1)
	mustDo(t, c, addDevice(n, device(9)))
	all := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: &storage.Device{}}
	one := storage.Op{Kind: storage.OpRemoveDevice, Name: n, Device: device(1)}
	steps := []struct {
		op   storage.Op
		want error
	}{
		{addDevice(n, device(1)), nil},
		{rotate(n, device(1), 1, 2), nil},
		{one, nil},
		{one, storage.ErrNotFound},
		{rotate(n, device(1), 2, 3), storage.ErrNotFound},
		{rotate(n, device(9), 9, 10), nil},
		{all, nil},
		{rotate(n, device(9), 10, 11), storage.ErrNotFound},
		{addDevice(n, device(2)), nil},
		{storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: a}, nil},
		{rotate(n, device(2), 2, 3), storage.ErrNotFound},
		{addDevice(n, device(3)), nil},
		{storage.Op{Kind: storage.OpDelete, Name: n}, nil},
		{addDevice(n, device(3)), storage.ErrNotFound},
		{create(a), nil},
		{rotate(n, device(3), 3, 4), storage.ErrNotFound},
		{addDevice(n, device(4)), nil},
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
	wantDevices(t, c, n, 4)
}

// Another password, a factor and a deletion take the devices back; other changes do not.
func TestDevices_GoWithThePassword(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 3)
	n, other := numbered(1).Name, numbered(2).Name
	mustDo(t, c, addDevice(n, device(1)), addDevice(n, device(2)), addDevice(other, device(3)))
	mustDo(t, c,
		storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{}}, storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 7}},
		has(n, 4, 2), storage.Op{Kind: storage.OpLogin, Name: n, At: 2})
	wantDevices(t, c, n, 2, 1)
	a := numbered(2)
	a.Name = n
	mustDo(t, c, storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: a})
	wantDevices(t, c, n)
	for _, factor := range []storage.Account{{PIN: "1234"}, {TOTPSecret: []byte("12345678901234567890")}} {
		mustDo(t, c, addDeviceOf(a, device(1)), storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &factor})
		wantDevices(t, c, n)
		a.PIN, a.TOTPSecret = factor.PIN, factor.TOTPSecret
	}
	mustDo(t, c, addDeviceOf(a, device(1)))
	mustDo(t, c, storage.Op{Kind: storage.OpDelete, Name: n})
	fill(t, c, 1, 2)
	wantDevices(t, c, n)
	wantDevices(t, c, other, 3)
}

// Who has proven what the account had before a change is not remembered after it, in
// one group or not: the change has ended the devices that there were.
func TestAddDevice_AfterAChange_IsRefused(t *testing.T) {
	changes := map[string]func(n storage.Name) []storage.Op{
		"another password": func(n storage.Name) []storage.Op {
			return []storage.Op{{Kind: storage.OpSetVerifier, Name: n, Account: numbered(2)}}
		},
		"another native verifier": func(n storage.Name) []storage.Op {
			a := numbered(1)
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
			a := numbered(2)
			a.Name = n
			return []storage.Op{{Kind: storage.OpDelete, Name: n}, create(a)}
		},
	}
	for name, change := range changes {
		for _, oneGroup := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, one group %v", name, oneGroup), func(t *testing.T) {
				c := mustOpen(t, vfs.NewMem())
				fill(t, c, 1, 2)
				n := numbered(1).Name
				mustDo(t, c, addDevice(n, device(1)))
				ops := append(change(n), addDevice(n, device(2)), rotate(n, device(1), 1, 2))
				var results []storage.Result
				if oneGroup {
					var err error
					if results, err = c.Do(context.Background(), ops...); err != nil {
						t.Fatal(err)
					}
				} else {
					for _, op := range ops {
						results = append(results, do(t, c, op))
					}
				}
				last := len(results) - 1
				if results[last-1].Err != storage.ErrConflict || results[last].Err != storage.ErrNotFound {
					t.Errorf("add: %v, rotate: %v", results[last-1].Err, results[last].Err)
				}
				wantDevices(t, c, n)
			})
		}
	}
}

// What an account's owner wants to be rid of goes, though it cannot be read.
func TestDevices_CorruptRecord(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 3)
	var k keyBuf
	spoil := func(n storage.Name) {
		if err := c.Store().(*Store).db.Set(k.device(&n, device(1).Family), []byte{recordVersion, 1}, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	n := numbered(1).Name
	spoil(n)
	for _, op := range []storage.Op{{Kind: storage.OpDevices}, {Kind: storage.OpDevice, Device: device(1)}, rotate(n, device(1), 1, 2), addDevice(n, device(2))} {
		op.Name = n
		if r := do(t, c, op); !errors.Is(r.Err, storage.ErrCorrupt) || r.Device != nil || r.Devices != nil {
			t.Errorf("kind %d: %+v", op.Kind, r)
		}
	}
	for _, op := range []storage.Op{{Kind: storage.OpRemoveDevice, Device: device(1)}, {Kind: storage.OpRemoveDevice, Device: &storage.Device{}}, {Kind: storage.OpSetVerifier, Account: numbered(1)}} {
		spoil(n)
		op.Name = n
		mustDo(t, c, op)
		wantDevices(t, c, n)
	}
}

// goldenDevice is a device's record as format 3 has it.
const goldenDevice = "01" + "000102030405060708090a0b0c0d0e0f" +
	"1111111111111111111111111111111111111111111111111111111111111111" +
	"2222222222222222222222222222222222222222222222222222222222222222" +
	"0100000000000000" + "0200000000000000" + "0300000000000000" + "04" + "c0000201" + "03" + "466f78"

func TestDevice_Golden(t *testing.T) {
	want := storage.Device{Name: "Fox", Created: 1, Expires: 2, LastUsed: 3, LastAddr: netip.MustParseAddr("192.0.2.1")}
	for i := range want.ID {
		want.ID[i] = byte(i)
	}
	for i := range want.Key {
		want.Key[i], want.Verifier[i] = 0x11, 0x22
	}
	if got := hex.EncodeToString(appendDevice(nil, &want)); got != goldenDevice {
		t.Errorf("got %s", got)
	}
	raw, err := hex.DecodeString(goldenDevice)
	if err != nil {
		t.Fatal(err)
	}
	var got storage.Device
	if err := parseDevice(raw, &got); err != nil || got != want {
		t.Errorf("%v: got %+v", err, got)
	}
	var k keyBuf
	n := mustName(t, "ab")
	if got := hex.EncodeToString(k.device(&n, want.ID)); got != "64"+"02"+"4142"+"000102030405060708090a0b0c0d0e0f" {
		t.Errorf("key %s", got)
	}
}

func TestDevice_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &storage.Device{Name: rapid.StringN(0, -1, storage.MaxDeviceName).Draw(t, "name"), Created: rapid.Int64().Draw(t, "created"),
			Expires: rapid.Int64().Draw(t, "expires"), LastUsed: rapid.Int64().Draw(t, "used")}
		for _, field := range [][]byte{want.Family[:], want.ID[:], want.Key[:], want.Verifier[:]} {
			copy(field, rapid.SliceOfN(rapid.Byte(), len(field), len(field)).Draw(t, "field"))
		}
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")
		want.LastAddr, _ = netip.AddrFromSlice(raw[:rapid.SampledFrom([]int{0, 4, 16}).Draw(t, "size")])
		want.LastAddr = want.LastAddr.Unmap()
		b := appendDevice(nil, want)
		got := storage.Device{Family: want.Family}
		if err := parseDevice(b, &got); err != nil || got != *want || len(b) > maxDeviceRecord {
			t.Fatalf("%v, %d bytes\ngot  %+v\nwant %+v", err, len(b), got, *want)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if err := parseDevice(b[:cut], new(storage.Device)); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := parseDevice(append(b, 0), new(storage.Device)); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("one byte more: %v", err)
		}
	})
}

func FuzzParseDevice(f *testing.F) {
	raw, err := hex.DecodeString(goldenDevice)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(appendDevice(nil, device(3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d storage.Device
		if parseDevice(b, &d) != nil {
			return
		}
		if got := appendDevice(nil, &d); !bytes.Equal(got, b) {
			t.Fatalf("%x became %x", b, got)
		}
	})
}
