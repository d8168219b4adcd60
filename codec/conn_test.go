package codec

import "testing"

func TestConn_Parts(t *testing.T) {
	cases := []struct {
		reactor, slot int
		generation    uint32
		text          string
	}{
		{0, 0, 1, "0/0#1"},
		{1, 0, 0, "1/0#0"},
		{0, 1, 0, "0/1#0"},
		{3, 77, 9, "3/77#9"},
		{MaxReactors - 1, MaxSlots - 1, 1<<32 - 1, "127/16777215#4294967295"},
	}
	for _, c := range cases {
		h := NewConn(c.reactor, c.slot, c.generation)
		if h.Reactor() != c.reactor || h.Slot() != c.slot || h.Generation() != c.generation || h.String() != c.text {
			t.Errorf("%+v: %d, %d, %d, %q", c, h.Reactor(), h.Slot(), h.Generation(), h)
		}
	}
}

func TestConn_TopBitIsFree(t *testing.T) {
	if h := NewConn(MaxReactors-1, MaxSlots-1, 1<<32-1); h>>63 != 0 {
		t.Errorf("%#x", uint64(h))
	}
}

func TestConn_SlotUsedAgainIsAnotherHandle(t *testing.T) {
	if NewConn(2, 5, 1) == NewConn(2, 5, 2) {
		t.Error("two generations of a slot have one handle")
	}
}

func TestNewConn_PanicsOnWhatDoesNotFit(t *testing.T) {
	for _, c := range [][2]int{{-1, 0}, {MaxReactors, 0}, {0, -1}, {0, MaxSlots}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("reactor %d, slot %d got a handle", c[0], c[1])
				}
			}()
			NewConn(c[0], c[1], 1)
		}()
	}
}
