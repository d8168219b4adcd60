package storage

import (
	"bytes"
	"cmp"
	"slices"
)

// maxDeviceRecord is the size of a device's record with the longest name and an
// IPv6 address.
const maxDeviceRecord = 1 + 16 + 32 + 32 + 8 + 8 + 8 + 1 + 16 + 1 + MaxDeviceName

// validDevice tells whether d fits a record. No family is zero: that stands for
// all of them.
func validDevice(d *Device) bool {
	return d != nil && d.Family != [16]byte{} && len(d.Name) <= MaxDeviceName
}

// validDevices tells whether an account can have these devices, and no others.
func validDevices(devices []Device) bool {
	families := make(map[[16]byte]bool, len(devices))
	for i := range devices {
		if !validDevice(&devices[i]) || families[devices[i].Family] {
			return false
		}
		families[devices[i].Family] = true
	}
	return len(devices) <= MaxDevices
}

// appendDevice appends the record of d, which must be valid. Its family is in the
// key.
func appendDevice(b []byte, d *Device) []byte {
	b = append(append(append(append(b, recordVersion), d.ID[:]...), d.Key[:]...), d.Verifier[:]...)
	b = order.AppendUint64(b, uint64(d.Created))
	b = order.AppendUint64(b, uint64(d.Expires))
	b = order.AppendUint64(b, uint64(d.LastUsed))
	return appendText(appendAddr(b, d.LastAddr), d.Name)
}

// parseDevice reads a record into dev, whose Family it leaves alone.
func parseDevice(b []byte, dev *Device) error {
	const kind = "device"
	d := decoder{left: b}
	if err := d.version(kind); err != nil {
		return err
	}
	copy(dev.ID[:], d.take(len(dev.ID)))
	copy(dev.Key[:], d.take(len(dev.Key)))
	copy(dev.Verifier[:], d.take(len(dev.Verifier)))
	dev.Created, dev.Expires, dev.LastUsed = d.i64(), d.i64(), d.i64()
	dev.LastAddr = d.addr()
	dev.Name = d.text()
	d.require(len(dev.Name) <= MaxDeviceName)
	return d.end(kind)
}

// lastUsedFirst orders devices; those of the same second by family, so that every
// reader sees one order.
func lastUsedFirst(a, b Device) int {
	return cmp.Or(cmp.Compare(b.LastUsed, a.LastUsed), bytes.Compare(a.Family[:], b.Family[:]))
}

// makeRoom says which of an account's devices go for d, that comes at the time now
// (Unix seconds): those that have expired, those that are d's device under an
// older token, and of too many the ones that were used longest ago.
func makeRoom(have []Device, d *Device, now int64) (gone []Device) {
	var stay []Device
	for _, old := range have {
		switch {
		case old.Family == d.Family: // replaced where it stands
		case old.Expires <= now, old.ID == d.ID:
			gone = append(gone, old)
		default:
			stay = append(stay, old)
		}
	}
	if len(stay) < MaxDevices {
		return gone
	}
	slices.SortFunc(stay, lastUsedFirst)
	return append(gone, stay[MaxDevices-1:]...)
}
