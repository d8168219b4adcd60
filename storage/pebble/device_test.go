package pebble

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
	"gatepass/storage/storagetest"
)

// A device's record can be removed although it cannot be read.
func TestDevices_CorruptRecord(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	storagetest.Fill(t, c, 1, 3)
	var k records.KeyBuf
	spoil := func(n storage.Name) {
		if err := c.Store().(*Store).db.Set(k.Device(&n, storagetest.Device(1).Family), []byte{records.Version, 1}, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	n := storagetest.Account(1).Name
	spoil(n)
	for _, op := range []storage.Op{{Kind: storage.OpDevices}, {Kind: storage.OpDevice, Device: storagetest.Device(1)}, storagetest.Rotate(n, storagetest.Device(1), 1, 2), storagetest.AddDevice(n, storagetest.Device(2))} {
		op.Name = n
		if r := storagetest.Do(t, c, op); !errors.Is(r.Err, storage.ErrCorrupt) || r.Device != nil || r.Devices != nil {
			t.Errorf("kind %d: %+v", op.Kind, r)
		}
	}
	for _, op := range []storage.Op{{Kind: storage.OpRemoveDevice, Device: storagetest.Device(1)}, {Kind: storage.OpRemoveDevice, Device: &storage.Device{}}, {Kind: storage.OpSetVerifier, Account: storagetest.Account(1)}} {
		spoil(n)
		op.Name = n
		storagetest.MustDo(t, c, op)
		storagetest.WantDevices(t, c, n)
	}
}
