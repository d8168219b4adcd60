package pebble

import (
	"errors"
	"fmt"

	"gatepass/storage"
)

// entry is one record of the store with its key, as it lies in a table or log.
type entry struct {
	key, value []byte

	// What parse made of it, by its kind.
	name    storage.Name
	account storage.Account
	login   storage.LoginRecord
	device  storage.Device
	ban     storage.AddressBan
}

// kind is the first byte of the key, 0 of an empty one.
func (r *entry) kind() byte {
	if len(r.key) == 0 {
		return 0
	}
	return r.key[0]
}

// parse reads key and value.
func (r *entry) parse() (err error) {
	switch r.kind() {
	case prefixAccount:
		if r.name, err = nameOf(r.key); err == nil {
			r.account.Name = r.name
			err = parseAccount(r.value, &r.account)
		}
	case prefixLogin:
		if r.name, err = nameOf(r.key); err == nil {
			r.login, err = parseLogin(r.value)
		}
	case prefixDevice:
		err = r.parseDevice()
	case prefixAddressBan:
		if r.ban.Prefix, err = prefixOf(r.key); err == nil {
			r.ban.Ban, err = parseAddressBan(r.value)
		}
	case prefixMeta:
	default:
		err = errKey
	}
	if errors.Is(err, errKey) {
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	return err
}

func (r *entry) parseDevice() (err error) {
	if len(r.key) < 2 {
		return errKey
	}
	size := int(r.key[1])
	if len(r.key) != 2+size+len(r.device.Family) {
		return errKey
	}
	if r.name, err = nameOf(r.key[1 : 2+size]); err != nil {
		return err
	}
	if r.device.Family, err = familyOf(r.key, 2+size); err != nil {
		return err
	}
	return parseDevice(r.value, &r.device)
}
