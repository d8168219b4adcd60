package admin

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"gatepass/accounts"
	"gatepass/storage"
)

// Asked directly and through a server: the same answers, and no keys. Those are for
// an export, which has a question of its own.
func TestManager_Devices(t *testing.T) {
	for name, remote := range map[string]bool{"its own store": false, "through a server": true} {
		t.Run(name, func(t *testing.T) {
			var told []accounts.ChangeKind
			o := testOptions()
			o.OnChange = func(c accounts.Change) { told = append(told, c.Kind) }
			server := accounts.New(newTestStore(t), o)
			m := server
			if remote {
				m = through(t, server)
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
			if !slices.Equal(told, []accounts.ChangeKind{accounts.ChangeDevices, accounts.ChangeDevices}) {
				t.Errorf("told %v", told)
			}
		})
	}
}

// A token asks for no second factor, so one that is set ends them all.
func TestManager_Factors_EndTheDevicesThatWereRememberedWithoutThem(t *testing.T) {
	var told []accounts.ChangeKind
	o := testOptions()
	o.OnChange = func(c accounts.Change) { told = append(told, c.Kind) }
	server := accounts.New(newTestStore(t), o)
	m := through(t, server)
	if err := m.Add(t.Context(), "ALICE", "x"); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]func() (int, error){
		"PIN":  func() (int, error) { return m.SetPIN(t.Context(), "alice", "1234") },
		"TOTP": func() (int, error) { _, n, err := m.SetTOTP(t.Context(), "alice"); return n, err },
	} {
		mustAddDevices(t, server, "ALICE", device(1), device(2))
		told = nil
		if n, err := set(); n != 2 || err != nil {
			t.Errorf("%s: %d devices, %v", name, n, err)
		}
		if list, err := m.Devices(t.Context(), "alice"); err != nil || len(list) != 0 {
			t.Errorf("%s: %v, %v", name, list, err)
		}
		if !slices.Contains(told, accounts.ChangeFactors) {
			t.Errorf("%s: told %v", name, told)
		}
	}
	mustAddDevices(t, server, "ALICE", device(3))
	if err := m.ClearFactors(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if list, err := m.Devices(t.Context(), "alice"); err != nil || len(list) != 1 {
		t.Errorf("without a factor: %v, %v", list, err)
	}
}

// A server refuses what is no native verifier, whoever sends it.
func TestClient_NativeVerifierIsChecked(t *testing.T) {
	s := startControl(t, newTestManager(t), SocketPath(t.TempDir()))
	name := nameOf(t, "A")
	remote := mustDial(t, s.path)
	for _, kind := range []storage.OpKind{storage.OpCreate, storage.OpSetVerifier} {
		account := &storage.Account{Name: name, Others: map[string][]byte{accounts.ProtocolNative: {1}}}
		if _, err := remote.Do(t.Context(), storage.Op{Kind: kind, Name: name, Account: account}); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
	m := accounts.New(remote, testOptions())
	if err := m.Add(t.Context(), "A", "x"); err != nil {
		t.Fatal(err)
	}
	if !opensNatively(t, mustShow(t, m, "A"), "x") {
		t.Error("the verifier was lost on its way")
	}
}

// What names one device must never come out as what names all of them.
func TestForgetDevice_SaysWhich(t *testing.T) {
	o := newTable().byKind[storage.OpRemoveDevice]
	for _, d := range []storage.Device{{}, {Family: [16]byte{1}}, {ID: [16]byte{2}}} {
		q, err := json.Marshal(o.request(&storage.Op{Kind: storage.OpRemoveDevice, Name: storage.Name{'A'}, Device: &d}))
		if err != nil {
			t.Fatal(err)
		}
		if op, err := o.parse(func(v any) error { return accounts.StrictJSON(q, v) }); err != nil || *op.Device != d {
			t.Errorf("%x, %x: %+v, %v", d.Family, d.ID, op.Device, err)
		}
	}
	q := o.request(&storage.Op{Kind: storage.OpRemoveDevice, Name: storage.Name{'A'}, Device: &storage.Device{ID: [16]byte{2}}})
	if q.(ForgetRequest).Family != nil {
		t.Error("a server that knows no IDs would remove all")
	}
}

// There are commands for what operators do with devices, and none for what the login
// server does.
func TestTable_Devices(t *testing.T) {
	table := newTable()
	for kind, want := range map[storage.OpKind]string{
		storage.OpDevices: "account.devices", storage.OpRemoveDevice: "account.forget-device",
		storage.OpDevice: "", storage.OpAddDevice: "", storage.OpRotateDevice: "", storage.OpCharacters: "",
	} {
		o := table.byKind[kind]
		if (o != nil) != (want != "") || o != nil && o.info().Name != want {
			t.Errorf("kind %d is not called %q", kind, want)
		}
	}
	for _, c := range []struct {
		kind storage.OpKind
		text string
		want error
	}{
		{storage.OpDevices, `{}`, ErrProtocol},
		{storage.OpRemoveDevice, `{"name":"A"}`, ErrProtocol},
		{storage.OpRemoveDevice, `{"name":"A","device":"00000000000000000000000000000000"}`, ErrProtocol},
		{storage.OpDevices, `{"name":"A"}`, nil},
		{storage.OpDevices, `{"name":"A","family":"0"}`, ErrProtocol},
		{storage.OpRemoveDevice, `{"name":"A","family":"0"}`, ErrProtocol},
		{storage.OpRemoveDevice, `{"name":"A","family":"zz000000000000000000000000000000"}`, ErrProtocol},
		{storage.OpRemoveDevice, `{"name":"A","family":"00000000000000000000000000000000"}`, nil},
	} {
		if _, err := table.byKind[c.kind].parse(func(v any) error { return accounts.StrictJSON([]byte(c.text), v) }); !errors.Is(err, c.want) {
			t.Errorf("%v %s: %v, want %v", c.kind, c.text, err, c.want)
		}
	}
}

// What goes over the socket does not hold the keys that sign a device in, unless they
// are asked for.
func TestAccountDevices_HoldsNoSecret(t *testing.T) {
	o := newTable().byKind[storage.OpDevices]
	for brief, want := range map[bool]bool{true: false, false: true} {
		text, err := json.Marshal(o.objects(&storage.Op{Kind: storage.OpDevices, Brief: brief}, &storage.Result{Devices: []storage.Device{*device(0xab)}}))
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(string(text), "eeee") || strings.Contains(string(text), "dddd"); has != want {
			t.Errorf("brief %v: %s", brief, text)
		}
	}
}
