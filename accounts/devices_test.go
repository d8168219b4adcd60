package accounts

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"gatepass/storage"
)

// device returns a device whose family and device start with the given byte.
func device(first byte) *storage.Device {
	d := &storage.Device{Name: "a laptop", Created: 10, Expires: testTime + 1, LastUsed: int64(first), LastAddr: netip.MustParseAddr("192.0.2.7")}
	for i := range d.Key {
		d.Key[i], d.Verifier[i] = 0xee, 0xdd
	}
	d.Family[0], d.Family[15], d.ID[0] = first, 1, ^first
	return d
}

func mustAddDevices(t testing.TB, m *Manager, name string, devices ...*storage.Device) {
	t.Helper()
	folded, err := ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	account, err := m.Show(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if _, err := m.one(t.Context(), storage.Op{Kind: storage.OpAddDevice, Name: folded, Device: d, Proven: account.Credentials()}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManager_RevokeDevice_Refused(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "alice", "x"); err != nil {
		t.Fatal(err)
	}
	twin := device(0xa1)
	twin.Family[15], twin.ID[15] = 2, 9
	mustAddDevices(t, m, "alice", device(0xa1), twin)
	for family, want := range map[string]string{
		"": "at least 4 of the hex digits", "a1": "at least 4", "zzzz": "hex digits", "a100": "several devices",
		strings.Repeat("a", 33): "no device", "b300": "account ALICE has no device b300; 'account devices ALICE' lists",
	} {
		if _, err := m.RevokeDevice(t.Context(), "alice", family); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", family, err)
		}
	}
	if d, err := m.RevokeDevice(t.Context(), "alice", hex.EncodeToString(twin.Family[:])); err != nil || d.Family != twin.Family {
		t.Error(err)
	}
	for _, name := range []string{"bob", "a:b"} {
		_, listErr := m.Devices(t.Context(), name)
		_, oneErr := m.RevokeDevice(t.Context(), name, "a1a1")
		_, allErr := m.RevokeDevices(t.Context(), name)
		for _, err := range []error{listErr, oneErr, allErr} {
			if name == "bob" && (!errors.Is(err, storage.ErrNotFound) || err.Error() != "there is no account BOB") || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestManager_SetPassword_ForgetsDevices(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "alice", "x"); err != nil {
		t.Fatal(err)
	}
	mustAddDevices(t, m, "alice", device(1))
	if err := m.SetPassword(t.Context(), "alice", "y"); err != nil {
		t.Fatal(err)
	}
	if list, err := m.Devices(t.Context(), "alice"); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

// A summary as text does not contain the keys of a device.
func TestSummarizeDevice_HoldsNoSecret(t *testing.T) {
	d := device(0xab)
	for now, expired := range map[int64]bool{testTime: false, testTime + 1: true} {
		s := SummarizeDevice(d, now)
		line, err := json.Marshal(s)
		if err != nil || s.Expired != expired {
			t.Error(s.Expired, err)
		}
		if text := string(line); strings.Contains(text, "eeee") || strings.Contains(text, "dddd") || !strings.Contains(text, `"family":"ab0000000000000000000000000000`) {
			t.Error(text)
		}
	}
}
