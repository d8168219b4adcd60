package pebble

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

// Devices that come with a new account are kept as they are, expired ones too.
func TestCreate_WithDevices(t *testing.T) {
	a, one, two := numbered(1), *device(1), *device(2)
	one.LastAddr, two.Expires = netip.MustParseAddr("192.0.2.7"), 1
	c := mustOpen(t, vfs.NewMem())
	for name, devices := range map[string][]storage.Device{
		"a family twice": {one, one},
		"no family":      {{ID: one.ID}},
		"too many":       slices.Repeat([]storage.Device{one}, storage.MaxDevices+1),
	} {
		if r := do(t, c, storage.Op{Kind: storage.OpCreate, Name: a.Name, Account: a, Devices: devices}); !errors.Is(r.Err, storage.ErrInvalid) {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
	if r := do(t, c, storage.Op{Kind: storage.OpCreate, Name: a.Name, Account: a, Devices: []storage.Device{one, two}}); r.Err != nil {
		t.Fatal(r.Err)
	}
	if r := do(t, c, storage.Op{Kind: storage.OpCreate, Name: a.Name, Account: a, Devices: []storage.Device{*device(3)}}); !errors.Is(r.Err, storage.ErrExists) {
		t.Fatal(r.Err)
	}
	r := do(t, c, storage.Op{Kind: storage.OpDevices, Name: a.Name})
	if len(r.Devices) != 2 || !slices.Contains(r.Devices, one) || !slices.Contains(r.Devices, two) {
		t.Errorf("%+v", r.Devices)
	}
	r = do(t, c, storage.Op{Kind: storage.OpDevices, Name: a.Name, Brief: true})
	for _, d := range r.Devices {
		if d.Key != [32]byte{} || d.Verifier != [32]byte{} || d.Family == [16]byte{} {
			t.Errorf("brief: %#v", d.Family)
		}
	}
}
