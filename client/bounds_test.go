package client

import (
	"strings"
	"testing"
	"unsafe"

	pb "gatepass/codec/native/gatepasspb"
)

// A list of worlds takes no more memory than the contract's bounds let it.
func TestBoard_CutsTextsAndLeavesOutWhatCannotBe(t *testing.T) {
	long := strings.Repeat("ä", 1<<14)
	var b board
	b.snapshot(&pb.WorldSnapshot{Version: 1, Worlds: []*pb.World{
		{Id: 0, Name: "none"}, {Id: 256, Name: "beyond"}, {Id: 1<<32 - 1}, {Id: 7, Name: "x" + long, Address: long},
		{Id: 8, Name: strings.Repeat("y", maxWorldName), Address: strings.Repeat("z", maxAddress)},
	}})
	b.characters(&pb.Characters{Counts: []*pb.Characters_Count{{World: 256, Count: 1}, {World: 7, Count: 2}}})
	list := b.shown()
	if len(list) != 2 || list[0].ID != 7 || list[1].ID != 8 {
		t.Fatalf("got %v", list)
	}
	if w := list[0]; w.Name != "x"+long[:62] || w.Address != "" || w.Enterable() || w.Characters != 2 {
		t.Errorf("got %q at %q, %d", w.Name, w.Address, w.Characters)
	}
	if w := list[1]; len(w.Name) != maxWorldName || len(w.Address) != maxAddress {
		t.Errorf("got %q at %q", w.Name, w.Address)
	}
}

func TestCut_KeepsNothingOfTheRest(t *testing.T) {
	text := strings.Repeat("n", 1<<16)
	got := cut(text, maxNotice)
	if len(got) != maxNotice || unsafe.StringData(got) == unsafe.StringData(text) {
		t.Errorf("%d bytes, in the memory of the whole", len(got))
	}
}
