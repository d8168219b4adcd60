package accounts

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"gatepass/storage"
)

// minFamily is the least number of digits that name a device. Fewer are probably a
// typo.
const minFamily = 4

// Devices returns the devices that can sign in to an account without its password, the
// most recently used first. Expired devices are included. Keys and verifiers are zero.
func (m *Manager) Devices(ctx context.Context, name string) ([]storage.Device, error) {
	folded, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	result, err := m.one(ctx, storage.Op{Kind: storage.OpDevices, Name: folded, Brief: true})
	return result.Devices, aboutAccount(folded, err)
}

// RevokeDevice removes one remembered device of an account. family is the device's
// family, or enough of its first digits to be unique.
func (m *Manager) RevokeDevice(ctx context.Context, name, family string) (storage.Device, error) {
	folded, err := ParseName(name)
	if err != nil {
		return storage.Device{}, err
	}
	devices, err := m.Devices(ctx, name)
	if err != nil {
		return storage.Device{}, err
	}
	device, err := findDevice(devices, folded, family)
	if err != nil {
		return device, err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpRemoveDevice, Name: folded, Device: &storage.Device{Family: device.Family}})
	if errors.Is(err, storage.ErrNotFound) { // removed since the read
		return device, noDevice(folded, family)
	}
	return device, aboutAccount(folded, err)
}

// RevokeDevices removes all remembered devices of an account and returns their number.
// If there are none, it changes nothing, so that no session ends.
func (m *Manager) RevokeDevices(ctx context.Context, name string) (int, error) {
	folded, err := ParseName(name)
	if err != nil {
		return 0, err
	}
	devices, err := m.Devices(ctx, name)
	if err != nil || len(devices) == 0 {
		return 0, err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpRemoveDevice, Name: folded, Device: &storage.Device{}})
	return len(devices), aboutAccount(folded, err)
}

func findDevice(devices []storage.Device, name storage.Name, family string) (found storage.Device, err error) {
	digits := strings.ToLower(family)
	if len(digits) < minFamily || strings.Trim(digits, "0123456789abcdef") != "" {
		return found, &FieldError{Field: "family", Problem: fmt.Sprintf("give at least %d of the hex digits that 'account devices %s' prints", minFamily, name)}
	}
	err = noDevice(name, digits)
	for _, d := range devices {
		if !strings.HasPrefix(hex.EncodeToString(d.Family[:]), digits) {
			continue
		}
		if err == nil {
			return found, &FieldError{Field: "family", Problem: "several devices begin like that; give more digits, 'account devices --json' prints them all"}
		}
		found, err = d, nil
	}
	return found, err
}

func noDevice(name storage.Name, family string) error {
	return &subjectError{fmt.Sprintf("account %s has no device %s; 'account devices %s' lists those it has", name, family, name), storage.ErrNotFound}
}

// deviceRecord is a device without the keys that sign it in.
type deviceRecord struct {
	Family   HexID      `json:"family"`
	Device   HexID      `json:"device"`
	Name     string     `json:"name"`
	Created  stamp      `json:"created,omitzero"`
	LastUsed stamp      `json:"last_used,omitzero"`
	LastAddr netip.Addr `json:"last_address,omitzero"`
	Expires  stamp      `json:"expires,omitzero"`
}

// HexID identifies a device or a family of devices: 16 bytes, written as 32 hex digits.
type HexID [16]byte

// MarshalText returns all 32 digits.
func (id HexID) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(id[:])), nil }

// UnmarshalText parses exactly 32 digits.
func (id *HexID) UnmarshalText(text []byte) error { return decodeHex(id[:], text) }

// decodeHex decodes digits into dst. They must fill dst exactly.
func decodeHex(dst, digits []byte) error {
	if len(digits) != hex.EncodedLen(len(dst)) {
		return errHexLength
	}
	_, err := hex.Decode(dst, digits)
	return err
}

var errHexLength = errors.New("give 2 hex digits for each byte, no more and no fewer")

func newDeviceRecord(d *storage.Device) deviceRecord {
	return deviceRecord{
		Family: d.Family, Device: d.ID, Name: d.Name, Created: stamp(d.Created),
		LastUsed: stamp(d.LastUsed), LastAddr: d.LastAddr, Expires: stamp(d.Expires),
	}
}

func (r *deviceRecord) device() storage.Device {
	return storage.Device{
		Family: r.Family, ID: r.Device, Name: r.Name, Created: int64(r.Created),
		LastUsed: int64(r.LastUsed), LastAddr: r.LastAddr, Expires: int64(r.Expires),
	}
}

// DeviceEntry is a device in a full export. Its keys are the server's copies that
// authenticate the device. They are as secret as a password verifier.
type DeviceEntry struct {
	deviceRecord
	Key      hexKey `json:"key,omitzero"`
	Verifier hexKey `json:"verifier,omitzero"`
}

// hexKey is 32 bytes, written as 64 hex digits.
type hexKey [32]byte

// MarshalText returns all 64 digits.
func (k hexKey) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(k[:])), nil }

// UnmarshalText parses exactly 64 digits.
func (k *hexKey) UnmarshalText(text []byte) error { return decodeHex(k[:], text) }

// String returns a fixed word, so that no log shows the key.
func (hexKey) String() string { return "device-key" }

// NewDeviceEntry converts a device with its keys.
func NewDeviceEntry(d *storage.Device) DeviceEntry {
	return DeviceEntry{newDeviceRecord(d), d.Key, d.Verifier}
}

// Device converts an entry back to a device. It checks nothing.
func (r *DeviceEntry) Device() storage.Device {
	d := r.device()
	d.Key, d.Verifier = r.Key, r.Verifier
	return d
}

// stored converts an entry to a device and checks it as storage does.
func (r *DeviceEntry) stored() (storage.Device, error) {
	d := r.Device()
	switch {
	case d.Family == [16]byte{}:
		return d, &FieldError{Field: "devices", Problem: "one has no family; give 32 hex digits"}
	case d.Key == [32]byte{} || d.Verifier == [32]byte{}:
		return d, &FieldError{Field: "devices", Problem: "one lacks its key or its verifier; take devices from a full export"}
	case len(d.Name) > storage.MaxDeviceName:
		return d, &FieldError{Field: "devices", Problem: fmt.Sprintf("one has a name of more than %d bytes", storage.MaxDeviceName)}
	}
	return d, nil
}

// DeviceSummary is a device as JSON, without its keys.
type DeviceSummary struct {
	deviceRecord
	Expired bool `json:"expired"`
}

// SummarizeDevice returns the summary of a device. now (Unix seconds) decides Expired.
func SummarizeDevice(d *storage.Device, now int64) DeviceSummary {
	return DeviceSummary{newDeviceRecord(d), d.Expires <= now}
}
