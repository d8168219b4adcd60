package records

import "gatepass/storage"

// maxDeviceRecord is the size of a device's record with the longest name and an
// IPv6 address.
const maxDeviceRecord = 1 + 16 + 32 + 32 + 8 + 8 + 8 + 1 + 16 + 1 + storage.MaxDeviceName

// AppendDevice appends the record of d, which must be valid. Its family is in the
// key.
func AppendDevice(b []byte, d *storage.Device) []byte {
	b = append(append(append(append(b, Version), d.ID[:]...), d.Key[:]...), d.Verifier[:]...)
	b = order.AppendUint64(b, uint64(d.Created))
	b = order.AppendUint64(b, uint64(d.Expires))
	b = order.AppendUint64(b, uint64(d.LastUsed))
	return appendText(appendAddr(b, d.LastAddr), d.Name)
}

// ParseDevice reads a record into dev, whose Family it leaves alone.
func ParseDevice(b []byte, dev *storage.Device) error {
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
	d.require(len(dev.Name) <= storage.MaxDeviceName)
	return d.end(kind)
}
