package grunt

import (
	"testing"

	"gatepass/codec"
)

// The protocol page's table of builds, with the builds on both sides of each step.
func TestLayoutOf_BuildDecides(t *testing.T) {
	cases := []struct {
		build            Build
		login, reconnect Layout
	}{
		{0, Layout2, Layout2},
		{4125, Layout2, Layout2},
		{5427, Layout2, Layout2},
		{5428, Layout3, Layout2},
		{Build1121, Layout3, Layout2},
		{6005, Layout3, Layout2},
		{6141, Layout3, Layout2},
		{6180, Layout3, Layout2},
		{6298, Layout3, Layout2},
		{6299, Layout5, Layout5},
		{6319, Layout5, Layout5},
		{6320, Layout6, Layout6},
		{7799, Layout6, Layout6},
		{8088, Layout6, Layout6},
		{8089, Layout8, Layout8},
		{Build243, Layout8, Layout8},
		{Build335, Layout8, Layout8},
		{65535, Layout8, Layout8},
	}
	for _, c := range cases {
		if l, r := LayoutOf(c.build), ReconnectLayoutOf(c.build); l != c.login || r != c.reconnect {
			t.Errorf("build %d: %v and %v, want %v and %v", c.build, l, r, c.login, c.reconnect)
		}
	}
}

func TestLayout_String(t *testing.T) {
	want := []string{"layout(0)", "v2", "v3", "v5", "v6", "v8", "layout(6)"}
	for i, w := range want {
		if got := Layout(i).String(); got != w {
			t.Errorf("layout %d is %q, want %q", i, got, w)
		}
	}
}

// codec.Factors is sent unchanged, so its bits must be those of the wire.
func TestLayout_Factors(t *testing.T) {
	want := []uint8{0, 0, 1, 3, 3, 7}
	for i, w := range want {
		if got := uint8(Layout(i).Factors()); got != w {
			t.Errorf("%v: %d, want %d", Layout(i), got, w)
		}
	}
	if codec.FactorPIN != 1 || codec.FactorMatrix != 2 || codec.FactorToken != 4 {
		t.Error("the bits of codec.Factors are not those of the wire")
	}
}
