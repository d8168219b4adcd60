package pebble

import (
	"errors"
	"slices"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// deviceNotes is the state of one account's devices after the requests so far, by family;
// nil is a removed device.
type deviceNotes map[[16]byte]*storage.Device

func (b *builder) addDevice(op *storage.Op) error {
	a, err := b.account(op.Name)
	if err != nil {
		return err
	}
	if err := op.ProvenStill(a); err != nil {
		return err
	}
	have, err := b.devicesOf(op.Name)
	if err != nil {
		return err
	}
	for _, old := range op.MakeRoom(have) {
		err = errors.Join(err, b.dropDevice(op.Name, old.Family))
	}
	return errors.Join(err, b.putDevice(op.Name, *op.Device))
}

// rotateDevice compares and replaces. Two requests of one group that expect the same
// verifier are applied one after the other, so the second gets ErrConflict.
func (b *builder) rotateDevice(op *storage.Op) error {
	d, err := b.deviceOf(op.Name, op.Device.Family)
	if err != nil {
		return err
	}
	if err := op.Rotate(&d); err != nil {
		return err
	}
	return b.putDevice(op.Name, d)
}

// removeDevice reads only keys, except for a search by ID, so it can remove a record that
// cannot be read.
func (b *builder) removeDevice(op *storage.Op) error {
	there, err := b.exists(op.Name)
	if err != nil {
		return err
	}
	if !there {
		return storage.ErrNotFound
	}
	none := [16]byte{}
	if op.Device.Family == none && op.Device.ID != none {
		return b.removeDeviceByID(op.Name, op.Device.ID)
	}
	families, err := b.familiesOf(op.Name)
	if err != nil {
		return err
	}
	if op.Device.Family == none {
		return b.dropDevices(op.Name, families)
	}
	if !slices.Contains(families, op.Device.Family) {
		return storage.ErrNotFound
	}
	return b.dropDevice(op.Name, op.Device.Family)
}

// removeDeviceByID removes all records of one device. There may be several if the store was
// assembled from others.
func (b *builder) removeDeviceByID(n storage.Name, id [16]byte) error {
	have, err := b.devicesOf(n)
	if err != nil {
		return err
	}
	var gone [][16]byte
	for _, d := range have {
		if d.ID == id {
			gone = append(gone, d.Family)
		}
	}
	if len(gone) == 0 {
		return storage.ErrNotFound
	}
	return b.dropDevices(n, gone)
}

// familiesOf returns the families of an account's devices as of this point in the group. It
// reads only keys.
func (b *builder) familiesOf(n storage.Name) (families [][16]byte, err error) {
	stored, err := b.view.families(n)
	for _, family := range stored {
		if _, known := b.devices[n][family]; !known {
			families = append(families, family)
		}
	}
	for family, d := range b.devices[n] {
		if d != nil {
			families = append(families, family)
		}
	}
	return families, err
}

func (b *builder) dropDevices(n storage.Name, families [][16]byte) (err error) {
	for _, family := range families {
		err = errors.Join(err, b.dropDevice(n, family))
	}
	return err
}

// deviceOf returns one device as of this point in the group.
func (b *builder) deviceOf(n storage.Name, family [16]byte) (storage.Device, error) {
	if d, known := b.devices[n][family]; known {
		if d == nil {
			return storage.Device{}, storage.ErrNotFound
		}
		return *d, nil
	}
	return b.view.device(n, family)
}

// devicesOf returns all devices of an account as of this point in the group.
func (b *builder) devicesOf(n storage.Name) (have []storage.Device, err error) {
	stored, err := b.view.devices(n)
	for _, d := range stored {
		if _, known := b.devices[n][d.Family]; !known {
			have = append(have, d)
		}
	}
	for _, d := range b.devices[n] {
		if d != nil {
			have = append(have, *d)
		}
	}
	return have, err
}

func (b *builder) putDevice(n storage.Name, d storage.Device) error {
	b.noteDevice(n, d.Family, &d)
	b.record = records.AppendDevice(b.record[:0], &d)
	return b.group.batch.Set(b.view.key.Device(&n, d.Family), b.record, nil)
}

func (b *builder) dropDevice(n storage.Name, family [16]byte) error {
	b.noteDevice(n, family, nil)
	return b.group.batch.Delete(b.view.key.Device(&n, family), nil)
}

func (b *builder) noteDevice(n storage.Name, family [16]byte, d *storage.Device) {
	if b.devices[n] == nil {
		b.devices[n] = make(deviceNotes)
	}
	b.devices[n][family] = d
}
