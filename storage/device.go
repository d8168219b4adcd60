package storage

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
)

const (
	// MaxDevices is the largest number of devices of an account.
	MaxDevices = 16
	// MaxDeviceName bounds Device.Name, in bytes.
	MaxDeviceName = 64
)

// Device is a device that may sign in without a password, by a token. The stored
// fields do not suffice to sign in.
type Device struct {
	// Family identifies the token and the tokens that replace it. It is never zero: a
	// zero family in a request stands for all families.
	Family [16]byte
	// ID identifies the device.
	ID [16]byte
	// Name is the name that the owner sees, at most MaxDeviceName bytes.
	Name string
	// Key is known to both sides and never changes. Verifier is the hash of the one
	// secret that the next sign-in must present.
	Key, Verifier [32]byte
	// Created, Expires and LastUsed are in Unix seconds.
	Created, Expires, LastUsed int64
	// LastAddr is the address of the last sign-in.
	LastAddr netip.Addr
}

// String hides the key.
func (Device) String() string { return "device" }

// GoString hides it from %#v.
func (Device) GoString() string { return "device" }

// ValidDevice reports whether a device can be stored.
func ValidDevice(d *Device) bool {
	return d != nil && d.Family != [16]byte{} && len(d.Name) <= MaxDeviceName
}

// ValidDevices reports whether devices can be all the devices of one account.
func ValidDevices(devices []Device) bool {
	families := make(map[[16]byte]bool, len(devices))
	for i := range devices {
		if !ValidDevice(&devices[i]) || families[devices[i].Family] {
			return false
		}
		families[devices[i].Family] = true
	}
	return len(devices) <= MaxDevices
}

// LastUsedFirst orders devices for slices.SortFunc. Devices used in the same second
// are ordered by family, so the order is always the same.
func LastUsedFirst(a, b Device) int {
	return cmp.Or(cmp.Compare(b.LastUsed, a.LastUsed), bytes.Compare(a.Family[:], b.Family[:]))
}

// MakeRoom returns which of an account's devices are removed with OpAddDevice: those
// that have expired, those of the same Device.ID under an older token, and, if more than
// MaxDevices would remain, those that were used longest ago.
func (op *Op) MakeRoom(have []Device) (gone []Device) {
	d, now := op.Device, op.now()
	var stay []Device
	for _, old := range have {
		switch {
		case old.Family == d.Family: // replaced under its key
		case old.Expires <= now, old.ID == d.ID:
			gone = append(gone, old)
		default:
			stay = append(stay, old)
		}
	}
	if len(stay) < MaxDevices {
		return gone
	}
	slices.SortFunc(stay, LastUsedFirst)
	return append(gone, stay[MaxDevices-1:]...)
}
