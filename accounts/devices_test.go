package accounts

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"gatepass/storage"
)

// device is one whose family and device begin with a byte.
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

// Asked directly and through a server: the same answers, and no keys. Those are for
// an export, which has a question of its own.
func TestManager_Devices(t *testing.T) {
	for name, remote := range map[string]bool{"its own store": false, "through a server": true} {
		t.Run(name, func(t *testing.T) {
			var told []ChangeKind
			o := testOptions()
			o.OnChange = func(c Change) { told = append(told, c.Kind) }
			server := New(openStore(t), o)
			m := server
			if remote {
				m = New(mustDial(t, startControl(t, server, SocketPath(t.TempDir())).path), testOptions())
			}
			if err := m.Add(t.Context(), "alice", "x"); err != nil {
				t.Fatal(err)
			}
			mustAddDevices(t, server, "alice", device(0xa1), device(0xa2), device(0xb3))
			told = nil
			list, err := m.Devices(t.Context(), "Alice")
			if err != nil || len(list) != 3 || list[0].Family[0] != 0xb3 {
				t.Fatalf("%v, %v", list, err)
			}
			want := *device(0xb3)
			want.Key, want.Verifier = [32]byte{}, [32]byte{}
			if list[0] != want {
				t.Error("the device is not as it was stored, or its keys came along")
			}
			if d, err := m.RevokeDevice(t.Context(), "alice", "A100"); err != nil || d.Family[0] != 0xa1 {
				t.Error(d.Family, err)
			}
			if n, err := m.RevokeDevices(t.Context(), "alice"); n != 2 || err != nil {
				t.Error(n, err)
			}
			if list, err := m.Devices(t.Context(), "alice"); err != nil || len(list) != 0 {
				t.Error(list, err)
			}
			if n, err := m.RevokeDevices(t.Context(), "alice"); n != 0 || err != nil { // which is no change
				t.Error(n, err)
			}
			if !slices.Equal(told, []ChangeKind{ChangeDevices, ChangeDevices}) {
				t.Errorf("told %v", told)
			}
		})
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

// Neither what is printed nor what goes over the socket holds what signs in.
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
	reply := appendLine(nil, newWireResult(&storage.Op{Brief: true}, &storage.Result{Kind: storage.OpDevice, Device: d, Devices: []storage.Device{*d}}, maxWireLine))
	if text := string(reply); strings.Contains(text, "eeee") || strings.Contains(text, "dddd") {
		t.Error(text)
	}
}

// What names one device must never come out as what names all of them.
func TestWire_RemoveDevice_SaysWhich(t *testing.T) {
	for _, d := range []storage.Device{{}, {Family: [16]byte{1}}, {ID: [16]byte{2}}} {
		w := newWireOp(&storage.Op{Kind: storage.OpRemoveDevice, Name: storage.Name{'A'}, Device: &d})
		if op, err := w.op(); err != nil || *op.Device != d {
			t.Errorf("%x, %x: %+v, %v", d.Family, d.ID, op.Device, err)
		}
	}
	w := newWireOp(&storage.Op{Kind: storage.OpRemoveDevice, Name: storage.Name{'A'}, Device: &storage.Device{ID: [16]byte{2}}})
	if w.Family != nil {
		t.Error("a server that knows no IDs would remove all")
	}
}

// The socket has words for what operators do with devices, and none for what the
// login server does.
func TestWire_DeviceWords(t *testing.T) {
	for kind, want := range map[storage.OpKind]string{
		storage.OpDevices: "devices", storage.OpRemoveDevice: "remove-device",
		storage.OpDevice: "", storage.OpAddDevice: "", storage.OpRotateDevice: "", storage.OpCharacters: "",
	} {
		word := opWord(kind)
		if back, ok := opKind(word); word != want || ok != (want != "") || ok && back != kind {
			t.Errorf("kind %d is called %q, and that is kind %d", kind, word, back)
		}
	}
	for line, want := range map[string]error{
		`{"op":"devices"}`:                  ErrProtocol,
		`{"op":"remove-device","name":"A"}`: ErrProtocol,
		`{"op":"remove-device","name":"A","device":"00000000000000000000000000000000"}`: ErrProtocol,
		`{"op":"devices","name":"A"}`:                                                   nil,
		`{"op":"device","name":"A","family":"0"}`:                                       errHexLength,
		`{"op":"remove-device","name":"A","family":"zz000000000000000000000000000000"}`: hex.InvalidByteError('z'),
		`{"op":"remove-device","name":"A","family":"00000000000000000000000000000000"}`: nil,
	} {
		var w wireOp
		err := json.Unmarshal([]byte(line), &w)
		if err == nil {
			_, err = w.op()
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", line, err, want)
		}
	}
}
