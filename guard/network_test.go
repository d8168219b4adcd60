package guard

import (
	"net/netip"
	"testing"
)

func TestNetwork(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:1::1", "2001:db8:1:1:ffff::9", true},
		{"2001:db8:1:1::1", "2001:db8:1:2::1", false},
		{"fe80::1%a", "fe80::2%b", true},
	} {
		a, b := Network(netip.MustParseAddr(c.a)), Network(netip.MustParseAddr(c.b))
		if (a == b) != c.same || !a.IsValid() || !b.IsValid() {
			t.Errorf("%s is of %v, %s of %v", c.a, a, c.b, b)
		}
	}
	for _, addr := range []netip.Addr{{}, netip.MustParseAddr("127.0.0.9"), netip.MustParseAddr("::1"), netip.MustParseAddr("::ffff:127.0.0.1")} {
		if n := Network(addr); n.IsValid() {
			t.Errorf("%v is of %v, want no network", addr, n)
		}
	}
}

func TestProvider(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.254", true},
		{"192.0.2.1", "192.0.3.1", false},
		{"192.0.2.1", "::ffff:192.0.2.9", true},
		{"2001:db8:1:1::1", "2001:db8:1:ff:ffff::9", true},
		{"2001:db8:1:1::1", "2001:db8:1:101::1", false},
		{"0.0.0.1", "::1", false},
	} {
		a, b := Provider(netip.MustParseAddr(c.a)), Provider(netip.MustParseAddr(c.b))
		if (a == b) != c.same || a == 0 || b == 0 {
			t.Errorf("%s is %x, %s is %x", c.a, a, c.b, b)
		}
	}
	if Provider(netip.Addr{}) == 0 {
		t.Error("the zero address has no number")
	}
}
