package storagetest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"gatepass/storage"
)

// Device returns the i-th device of a test, last used at second i. It does not expire.
func Device(i int) *storage.Device {
	d := &storage.Device{Name: fmt.Sprintf("laptop %d", i), Created: 1, Expires: 1 << 40, LastUsed: int64(i)}
	d.Family[0], d.Family[15], d.ID[0], d.ID[15] = byte(i), 1, byte(i), 2
	d.Key[3], d.Verifier = byte(i), Proof(i)
	return d
}

// Proof returns the i-th verifier of a test's devices.
func Proof(i int) (v [32]byte) {
	binary.LittleEndian.PutUint32(v[:], uint32(i))
	return v
}

// AddDevice is a request to add a device to an account that Fill has created, proven
// with the account's first password.
func AddDevice(n storage.Name, d *storage.Device) storage.Op {
	i := 1
	_, _ = fmt.Sscanf(n.String(), "PLAYER%d", &i)
	a := Account(i)
	a.Name = n
	return AddDeviceOf(a, d)
}

// AddDeviceOf is a request to add a device to an account, proven with the credentials
// that a has.
func AddDeviceOf(a *storage.Account, d *storage.Device) storage.Op {
	return storage.Op{Kind: storage.OpAddDevice, Name: a.Name, Device: d, Proven: a.Credentials()}
}

// Rotate is a request to replace the verifier numbered from by the one numbered to.
func Rotate(n storage.Name, d *storage.Device, from, to int) storage.Op {
	next := *d
	next.Verifier = Proof(to)
	return storage.Op{Kind: storage.OpRotateDevice, Name: n, Device: &next, Expect: Proof(from)}
}

// ByID names the i-th device of a test by its ID alone.
func ByID(i int) *storage.Device { return &storage.Device{ID: Device(i).ID} }

// MustDevices reads the numbers of an account's devices, the one used last first.
func MustDevices(t testing.TB, c *storage.Client, n storage.Name) (numbers []int) {
	t.Helper()
	for _, d := range MustDo(t, c, storage.Op{Kind: storage.OpDevices, Name: n})[0].Devices {
		numbers = append(numbers, int(d.Family[0]))
	}
	return numbers
}

// WantDevices fails the test unless the account has these devices.
func WantDevices(t testing.TB, c *storage.Client, n storage.Name, want ...int) {
	t.Helper()
	if got := MustDevices(t, c, n); !slices.Equal(got, want) {
		t.Fatalf("%v: got the devices %v, want %v", n, got, want)
	}
}

// HasCharacters is a world's note of how many characters an account has there.
func HasCharacters(n storage.Name, world, count uint8) storage.Op {
	return storage.Op{Kind: storage.OpCharacters, Name: n, World: world, Count: count}
}

// MustCount reads the character counts as a login does.
func MustCount(t testing.TB, c *storage.Client, n storage.Name) []storage.WorldCount {
	t.Helper()
	return MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n, Brief: true})[0].Account.Characters
}

// WantCount fails the test unless the account has these counts.
func WantCount(t testing.TB, c *storage.Client, n storage.Name, want ...storage.WorldCount) {
	t.Helper()
	if got := MustCount(t, c, n); !slices.Equal(got, want) {
		t.Fatalf("%v: got %v, want %v", n, got, want)
	}
}
