package pebble

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
	"gatepass/storage/storagetest"
)

// A count that is stored already is not written again.
func TestCharacters_KnownAlready_WritesNothing(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	storagetest.Fill(t, c, 1, 2)
	n := storagetest.Account(1).Name
	storagetest.MustDo(t, c, storagetest.HasCharacters(n, 4, 2))
	b := newBuilder(c.Store().(*Store).db)
	for _, op := range []storage.Op{storagetest.HasCharacters(n, 4, 2), storagetest.HasCharacters(n, 5, 0), storagetest.HasCharacters(storagetest.MustName(t, "nobody"), 1, 1)} {
		b.begin(nil)
		b.add(&op)
		g, err := b.end()
		if err != nil || g.results[0].Err != nil {
			t.Fatal(err, g.results[0].Err)
		}
		if !g.batch.Empty() || g.waited {
			t.Errorf("%d on %d: %d bytes, waited %v", op.Count, op.World, g.batch.Len(), g.waited)
		}
		_ = g.batch.Close()
	}
}

// A note causes no fsync, and is durable after the next write that causes one.
func TestCharacters_RideOnTheNextSync(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c := mustOpen(t, fs)
	storagetest.Fill(t, c, 1, 2)
	n := storagetest.Account(1).Name
	crashed := func() *storage.Client { return mustOpen(t, fs.CrashClone(vfs.CrashCloneCfg{})) }
	before := c.Store().(*Store).Stats().Syncs
	storagetest.MustDo(t, c, storagetest.HasCharacters(n, 4, 2))
	if got := c.Store().(*Store).Stats().Syncs; got != before {
		t.Fatalf("%d syncs for a note", got-before)
	}
	storagetest.WantCount(t, crashed(), n)
	storagetest.Fill(t, c, 2, 3)
	storagetest.WantCount(t, crashed(), n, storage.WorldCount{World: 4, Count: 2})
	synced := storagetest.HasCharacters(n, 4, 3)
	synced.Synced = true
	storagetest.MustDo(t, c, synced)
	storagetest.WantCount(t, crashed(), n, storage.WorldCount{World: 4, Count: 3})
}

// formerRecord is a record of format 1, with a PIN and without character counts.
const formerRecord = "01" + "04" + "0100000000000000" + "0431323334"

// A store of format 1 opens with the newest format, and its records are read as they are.
func TestFormat_StoreWithoutCharacterCounts(t *testing.T) {
	record, err := hex.DecodeString(formerRecord)
	if err != nil {
		t.Fatal(err)
	}
	fs, n := vfs.NewMem(), storagetest.MustName(t, "old")
	db, f := mustDB(t, fs)
	var k records.KeyBuf
	if err := migrate(db, f, formatSteps()[:1], bytes.NewReader(make([]byte, 32))); err != nil {
		t.Fatal(err)
	}
	if err := db.Set(k.Account(&n), record, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c := mustOpen(t, fs)
	if a := storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account; a.PIN != "1234" || a.Created != 1 || a.Characters != nil {
		t.Fatalf("%+v", a)
	}
	storagetest.MustDo(t, c, storagetest.HasCharacters(n, 4, 2))
	storagetest.WantCount(t, c, n, storage.WorldCount{World: 4, Count: 2})
	if a := storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account; a.PIN != "1234" {
		t.Fatalf("%+v", a)
	}
	if at, err := readFormat(c.Store().(*Store).db); int(at) != len(formatSteps()) || err != nil {
		t.Fatal(at, err)
	}
	// Without counts the record has the same bytes as the old one.
	if got := records.AppendAccount(nil, &storage.Account{Created: 1, PIN: "1234"}); !bytes.Equal(got, record) {
		t.Fatalf("%x", got)
	}
}
