package records

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// goldenDevice is a device's record as format 3 has it.
const goldenDevice = "01" + "000102030405060708090a0b0c0d0e0f" +
	"1111111111111111111111111111111111111111111111111111111111111111" +
	"2222222222222222222222222222222222222222222222222222222222222222" +
	"0100000000000000" + "0200000000000000" + "0300000000000000" + "04" + "c0000201" + "03" + "466f78"

func TestDevice_Golden(t *testing.T) {
	want := storage.Device{Name: "Fox", Created: 1, Expires: 2, LastUsed: 3, LastAddr: netip.MustParseAddr("192.0.2.1")}
	for i := range want.ID {
		want.ID[i] = byte(i)
	}
	for i := range want.Key {
		want.Key[i], want.Verifier[i] = 0x11, 0x22
	}
	if got := hex.EncodeToString(AppendDevice(nil, &want)); got != goldenDevice {
		t.Errorf("got %s", got)
	}
	raw, err := hex.DecodeString(goldenDevice)
	if err != nil {
		t.Fatal(err)
	}
	var got storage.Device
	if err := ParseDevice(raw, &got); err != nil || got != want {
		t.Errorf("%v: got %+v", err, got)
	}
	var k KeyBuf
	n := storagetest.MustName(t, "ab")
	if got := hex.EncodeToString(k.Device(&n, want.ID)); got != "64"+"02"+"4142"+"000102030405060708090a0b0c0d0e0f" {
		t.Errorf("key %s", got)
	}
}

func TestDevice_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &storage.Device{Name: rapid.StringN(0, -1, storage.MaxDeviceName).Draw(t, "name"), Created: rapid.Int64().Draw(t, "created"),
			Expires: rapid.Int64().Draw(t, "expires"), LastUsed: rapid.Int64().Draw(t, "used")}
		for _, field := range [][]byte{want.Family[:], want.ID[:], want.Key[:], want.Verifier[:]} {
			copy(field, rapid.SliceOfN(rapid.Byte(), len(field), len(field)).Draw(t, "field"))
		}
		raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")
		want.LastAddr, _ = netip.AddrFromSlice(raw[:rapid.SampledFrom([]int{0, 4, 16}).Draw(t, "size")])
		want.LastAddr = want.LastAddr.Unmap()
		b := AppendDevice(nil, want)
		got := storage.Device{Family: want.Family}
		if err := ParseDevice(b, &got); err != nil || got != *want || len(b) > maxDeviceRecord {
			t.Fatalf("%v, %d bytes\ngot  %+v\nwant %+v", err, len(b), got, *want)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if err := ParseDevice(b[:cut], new(storage.Device)); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if err := ParseDevice(append(b, 0), new(storage.Device)); !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("one byte more: %v", err)
		}
	})
}

func FuzzParseDevice(f *testing.F) {
	raw, err := hex.DecodeString(goldenDevice)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(AppendDevice(nil, storagetest.Device(3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d storage.Device
		if ParseDevice(b, &d) != nil {
			return
		}
		if got := AppendDevice(nil, &d); !bytes.Equal(got, b) {
			t.Fatalf("%x became %x", b, got)
		}
	})
}
