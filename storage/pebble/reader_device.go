package pebble

import (
	"errors"
	"slices"

	"gatepass/storage"
)

// accountAndDevice answers OpDevice. Both records are looked for though the first
// be missing, as with accounts and their logins.
func (v *view) accountAndDevice(op *storage.Op) (*storage.Account, *storage.Device, error) {
	if err := op.Validate(); err != nil {
		return nil, nil, err
	}
	a, err := v.account(op.Name, true)
	d, deviceErr := v.device(op.Name, op.Device.Family)
	if err == nil {
		err = deviceErr
	}
	if err != nil {
		return a, nil, err
	}
	return a, &d, nil
}

// device reads one device; ErrNotFound if there is none.
func (v *view) device(n storage.Name, family [16]byte) (d storage.Device, err error) {
	d.Family = family
	err = v.get(v.key.device(&n, family), func(b []byte) error { return parseDevice(b, &d) })
	if err != nil {
		return storage.Device{}, err
	}
	return d, nil
}

// devicesOfAccount answers OpDevices.
func (v *view) devicesOfAccount(op *storage.Op) ([]storage.Device, error) {
	there, err := v.has(v.key.account(&op.Name))
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, storage.ErrNotFound
	}
	list, err := v.devices(op.Name)
	slices.SortFunc(list, storage.LastUsedFirst)
	for i := range list {
		if op.Brief {
			list[i].Key, list[i].Verifier = [32]byte{}, [32]byte{}
		}
	}
	return list, err
}

// devices reads all devices of a name, by family. Expired ones too: this package
// has no clock.
func (v *view) devices(n storage.Name) (list []storage.Device, err error) {
	err = v.scanDevices(n, func(family [16]byte, value []byte) error {
		list = append(list, storage.Device{Family: family})
		return parseDevice(value, &list[len(list)-1])
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// families is devices without a look into them.
func (v *view) families(n storage.Name) (list [][16]byte, err error) {
	err = v.scanDevices(n, func(family [16]byte, _ []byte) error {
		list = append(list, family)
		return nil
	})
	return list, err
}

func (v *view) scanDevices(n storage.Name, each func(family [16]byte, value []byte) error) error {
	lower, upper := boundsOfDevices(&n)
	return v.scan(lower, upper, func(key, value []byte) error {
		family, err := familyOf(key, len(lower))
		if err != nil {
			return errors.Join(storage.ErrCorrupt, err)
		}
		return each(family, value)
	})
}
