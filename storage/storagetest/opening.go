package storagetest

import (
	"errors"
	"testing"

	"gatepass/storage"
)

// Opening for reading creates no store, and refuses every change.
func testOpenReadOnly(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	if _, err := engine.Open(storage.OpenOptions{ReadOnly: true}); !errors.Is(err, storage.ErrNoStore) {
		t.Fatalf("no store: %v", err)
	}
	c := MustOpen(t, engine)
	Fill(t, c, 1, 2)
	MustClose(t, c)
	c, err := storage.OpenClient(engine, storage.OpenOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer MustClose(t, c)
	n := Account(1).Name
	for _, kind := range storage.OpKinds() {
		if kind.IsRead() {
			continue
		}
		for _, synced := range []bool{false, true} {
			op := storage.Op{Kind: kind, Name: n, Account: Account(2), Device: Device(1), Synced: synced, At: 1, World: 1}
			if r := Do(t, c, op); !errors.Is(r.Err, storage.ErrReadOnly) {
				t.Errorf("%v, synced %v: %v", kind, synced, r.Err)
			}
		}
	}
	if a := MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account; a.Grunt != Account(1).Grunt {
		t.Errorf("read %+v", a)
	}
}

// A store that is open cannot be opened for writing again.
func testOpenLocked(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	c := MustOpen(t, engine)
	if _, err := engine.Open(storage.OpenOptions{}); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a second store: %v", err)
	}
	if _, err := engine.Serve(storage.OpenOptions{}); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a second store that serves: %v", err)
	}
	MustClose(t, c)
	MustClose(t, MustOpen(t, engine))
}

// A store that serves counts, and has no trouble to tell of.
func testServeTellsHowItIs(t *testing.T, newEngine NewEngine) {
	var served storage.Served
	c, err := storage.NewClient(nil, func(deliver func([]storage.Result)) (_ storage.Store, err error) {
		served, err = newEngine(t).Serve(storage.OpenOptions{Deliver: deliver})
		return served, err
	})
	if err != nil {
		t.Fatal(err)
	}
	Fill(t, c, 1, 4)
	MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: Account(1).Name})
	if err := errors.Join(served.WriteTrouble(), served.ReadTrouble()); err != nil {
		t.Error(err)
	}
	MustClose(t, c)
	if s := served.Stats(); s.Writes != 3 || s.Reads != 1 || s.Failed || s.NotesDropped != 0 || s.ReadQueue != 0 || s.WriteQueue != 0 {
		t.Errorf("%+v", s)
	}
}

// Every kind gets one result, which has the request's kind, name and tag; an unknown kind
// and a request without its fields are invalid.
func testEachKindIsAnswered(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	n := Account(1).Name
	for i, kind := range append(storage.OpKinds(), 0, 255) {
		r := Do(t, c, storage.Op{Kind: kind, Name: n, Tag: uint64(i)})
		if r.Kind != kind || r.Tag != uint64(i) || r.Name != n {
			t.Errorf("%v: answered as %v of %v under tag %d", kind, r.Kind, r.Name, r.Tag)
		}
		invalid := (&storage.Op{Kind: kind, Name: n}).Validate()
		if errors.Is(r.Err, storage.ErrInvalid) != (invalid != nil) {
			t.Errorf("%v: %v, want %v", kind, r.Err, invalid)
		}
	}
}
