package records

import (
	"errors"
	"fmt"

	"gatepass/storage"
)

// Entry is one record of the store with its key, as read from a table or log.
type Entry struct {
	Key, Value []byte

	// Set by Parse, those of its kind.
	Name    storage.Name
	Account storage.Account
	Login   storage.LoginRecord
	Device  storage.Device
	Ban     storage.AddressBan
}

// Kind returns the first byte of the key, 0 for an empty one.
func (r *Entry) Kind() byte {
	if len(r.Key) == 0 {
		return 0
	}
	return r.Key[0]
}

// Parse reads key and value into the other fields.
func (r *Entry) Parse() (err error) {
	switch r.Kind() {
	case PrefixAccount:
		if r.Name, err = NameOf(r.Key); err == nil {
			r.Account.Name = r.Name
			err = ParseAccount(r.Value, &r.Account)
		}
	case PrefixLogin:
		if r.Name, err = NameOf(r.Key); err == nil {
			r.Login, err = ParseLogin(r.Value)
		}
	case PrefixDevice:
		err = r.parseDevice()
	case PrefixAddressBan:
		if r.Ban.Prefix, err = PrefixOf(r.Key); err == nil {
			r.Ban.Ban, err = ParseAddressBan(r.Value)
		}
	case PrefixMeta:
	default:
		err = errKey
	}
	if errors.Is(err, errKey) {
		return fmt.Errorf("%w: %w", storage.ErrCorrupt, err)
	}
	return err
}

func (r *Entry) parseDevice() (err error) {
	if len(r.Key) < 2 {
		return errKey
	}
	size := int(r.Key[1])
	if len(r.Key) != 2+size+len(r.Device.Family) {
		return errKey
	}
	if r.Name, err = NameOf(r.Key[1 : 2+size]); err != nil {
		return err
	}
	if r.Device.Family, err = FamilyOf(r.Key, 2+size); err != nil {
		return err
	}
	return ParseDevice(r.Value, &r.Device)
}
