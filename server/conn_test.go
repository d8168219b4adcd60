package server

import (
	"testing"

	"gatepass/codec"
)

func TestConnTable_Get_FindsOnlyTheLivingHandle(t *testing.T) {
	table := connTable{reactor: 3}
	a := table.open(nil, nil)
	first := a.handle
	if first.Reactor() != 3 || first.Generation() == 0 || table.get(first) != a {
		t.Fatalf("handle %v does not name its connection", first)
	}
	table.close(a)
	if table.get(first) != nil {
		t.Fatal("the handle of a closed connection names one")
	}
	b := table.open(nil, nil)
	if b.handle.Slot() != first.Slot() {
		t.Fatalf("slot %d was not used again, but %d", first.Slot(), b.handle.Slot())
	}
	if b.handle == first || table.get(first) != nil || table.get(b.handle) != b {
		t.Fatal("the old handle names the new connection")
	}
}

// A million connections in one slot never get the same handle twice.
func TestConnTable_Open_GivesNoHandleTwice(t *testing.T) {
	var table connTable
	last := codec.Conn(0)
	for range 1_000_000 {
		c := table.open(nil, nil)
		if c.handle <= last {
			t.Fatalf("%v after %v", c.handle, last)
		}
		last = c.handle
		table.close(c)
	}
}

func TestConnTable_Open_SkipsGenerationZero(t *testing.T) {
	var table connTable
	c := table.open(nil, nil)
	table.close(c)
	table.generations[0] = ^uint32(0)
	if c = table.open(nil, nil); c.handle.Generation() != 1 {
		t.Fatalf("generation %d, want 1", c.handle.Generation())
	}
}

// Handles that were never given out name no connection; the zero handle is one of them.
func TestConnTable_Get_UnknownHandles(t *testing.T) {
	var table connTable
	if table.get(codec.NewConn(0, 0, 1)) != nil {
		t.Fatal("an empty table knows a connection")
	}
	table.close(table.open(nil, nil))
	for _, h := range []codec.Conn{0, codec.NewConn(0, 0, 2), codec.NewConn(0, tableChunk, 1), codec.NewConn(0, codec.MaxSlots-1, 1)} {
		if table.get(h) != nil {
			t.Errorf("%v names a connection", h)
		}
	}
}

// Connections keep their address while the table grows, because pieces point at them.
func TestConnTable_Open_KeepsPointersGood(t *testing.T) {
	var table connTable
	open := map[codec.Conn]*clientConn{}
	for range 3*tableChunk + 1 {
		c := table.open(nil, nil)
		open[c.handle] = c
	}
	if len(open) != table.live {
		t.Fatalf("%d handles for %d connections", len(open), table.live)
	}
	for h, c := range open {
		if table.get(h) != c || c.handle != h {
			t.Fatalf("%v lost its connection", h)
		}
	}
}
