package storage_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble"
	"gatepass/storage/storagetest"
)

func TestClient_SharesItsStore(t *testing.T) {
	others := make(chan storage.Result, 1)
	c, err := pebble.OpenClient(pebble.Options{Dir: "x", FS: vfs.NewMem(), Deliver: func(rs []storage.Result) {
		for _, r := range rs {
			others <- r
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	storagetest.MustDo(t, c, storagetest.Create(storagetest.Account(1)))
	c.Store().Submit([]storage.Op{{Kind: storage.OpGet, Name: storagetest.Account(1).Name, Tag: 42}})
	if r := <-others; r.Tag != 42 || r.Account == nil {
		t.Fatalf("%+v", r)
	}
}

func TestClient_Do_WaitsForRoomAndStopsWithContext(t *testing.T) {
	c, err := pebble.OpenClient(pebble.Options{Dir: "x", FS: vfs.NewMem(), QueueLimit: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	storagetest.Fill(t, c, 0, 50)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 {
		ops := make([]storage.Op, 10)
		for i := range ops {
			ops[i] = storage.Op{Kind: storage.OpGet}
		}
		if _, err := c.Do(ctx, ops...); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	storagetest.MustClose(t, c)
	if _, err := c.Do(context.Background(), storage.Op{Kind: storage.OpGet}); !errors.Is(err, storage.ErrClosed) {
		t.Fatal(err)
	}
	if n := c.Calls(); n != 0 {
		t.Fatalf("%d calls left over", n)
	}
}
