package worlds

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// Valid addresses, and the errors for invalid ones.
func TestCheckAddress(t *testing.T) {
	label := strings.Repeat("a", maxHostLabel)
	for address, want := range map[string]string{
		"192.0.2.1:8085":            "",
		"127.0.0.1:8085":            "", // for clients on this machine
		"[::1]:8085":                "",
		"[2001:db8::1]:8085":        "",
		"[::ffff:192.0.2.1]:8085":   "",
		"169.254.1.1:8085":          "", // only a doubt
		"world.example.org:8085":    "",
		"world.example.org.:8085":   "",
		"world_1:8085":              "",
		"xn--gre-6ka8i.example:1":   "",
		label + ".a:1":              "",
		"1.example:1":               "",
		"0.0.0.0:8085":              "stands for every address",
		"[::]:8085":                 "stands for every address",
		"[::ffff:0.0.0.0]:8085":     "stands for every address",
		"[0:0:0:0:0:0:0:0]:8085":    "stands for every address",
		"0.1.2.3:8085":              "reserved",
		"255.255.255.255:8085":      "reserved",
		"240.0.0.1:8085":            "reserved",
		"224.0.0.1:8085":            "multicast",
		"[ff02::1]:8085":            "multicast",
		"[::ffff:224.0.0.1]:8085":   "multicast",
		"[fe80::1]:8085":            "one link only",
		"[fe80::1%eth0]:8085":       "interface",
		"[2001:db8::1%eth0]:8085":   "interface",
		"2001:db8::1:8085":          "brackets, such as [2001:db8::1]:8085",
		"::1:8085":                  "brackets",
		"2001:db8::":                "no port",
		"[2001:db8::1]":             "no port",
		":8085":                     "neither an IP address nor a name",
		"192.0.2.1":                 "no port",
		"192.0.2.1:0":               "port in 1 to 65535",
		"192.0.2.1:":                "port in 1 to 65535",
		"192.0.2.1:+1":              "port in 1 to 65535",
		"192.0.2.1:65536":           "port in 1 to 65535",
		"192.0.2.1:http":            "port in 1 to 65535",
		"0:8085":                    "not an IPv4 address",
		"127.1:8085":                "not an IPv4 address",
		"0x7f.1:8085":               "not an IPv4 address",
		"2130706433:8085":           "not an IPv4 address",
		"0x7f000001:8085":           "not an IPv4 address",
		"010.0.0.1:8085":            "not an IPv4 address",
		"192.0.2.256:8085":          "not an IPv4 address",
		"192.0.2.1.5:8085":          "not an IPv4 address",
		"99999999999999999999999:1": "not an IPv4 address",
		"größe.example:8085":        "neither an IP address nor a name",
		"a..b:8085":                 "neither an IP address nor a name",
		"-a:8085":                   "neither an IP address nor a name",
		"a-:8085":                   "neither an IP address nor a name",
		"http://a:8085":             "not host:port",
		"user@a:8085":               "neither an IP address nor a name",
		" 192.0.2.1:8085":           "neither an IP address nor a name",
		"192.0.2.1 :8085":           "neither an IP address nor a name",
		label + "a:1":               "neither an IP address nor a name",
	} {
		err := checkAddress(address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

// A world with such an address is refused on every way in, whichever of its addresses
// it is.
func TestWorld_Validate_EveryAddress(t *testing.T) {
	for field, set := range map[string]func(*World){
		"address":        func(w *World) { w.Address = "0.0.0.0:8085" },
		"native address": func(w *World) { w.Native = "[::]:8085" },
		"routes: 10.0.0.0/8: address": func(w *World) {
			w.Routes = []Route{route("10.0.0.0/8", "0.0.0.0:1")}
		},
		"routes: 10.0.0.0/8: native address": func(w *World) { w.Routes = []Route{nativeRoute("224.0.0.1:1")} },
	} {
		r := Registration{World: world(1, "A"), Incarnation: 1, Capacity: 1}
		set(&r.World)
		m := NewManager(ManagerOptions{Epoch: 1})
		for way, err := range map[string]error{
			"list": NewList(EncodeGrunt).SetStatic([]World{r.World}), "registration": m.Register(WorldNode(1), &r, 0),
			"entry": (&Entry{Registration: r}).Validate(),
		} {
			if err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%s, %s: %v", field, way, err)
			}
		}
	}
}

func TestWorld_Doubts(t *testing.T) {
	for _, c := range []struct {
		what   string
		set    func(*World)
		remote bool
		want   []string
	}{
		{"sound", func(*World) {}, true, nil},
		{"loopback", func(w *World) { w.Address = "127.0.0.1:1" }, true, []string{"address: 127.0.0.1:1 leads clients to their own machine"}},
		{"loopback by name", func(w *World) { w.Address = "LocalHost.:1" }, true, []string{"address: LocalHost.:1 leads"}},
		{"loopback for clients here", func(w *World) { w.Address = "127.0.0.1:1" }, false, nil},
		{"native loopback", func(w *World) { w.Native = "[::1]:1" }, true, []string{"native address: [::1]:1 leads"}},
		{"IPv6", func(w *World) { w.Address = "[2001:db8::1]:1" }, false, []string{"address: clients of 1.12 to 3.3.5 cannot read"}},
		{"mapped", func(w *World) { w.Address = "[::ffff:192.0.2.1]:1" }, false, []string{"address: clients of 1.12 to 3.3.5 cannot read"}},
		{"native IPv6", func(w *World) { w.Native = "[2001:db8::1]:1" }, true, nil},
		{"link-local", func(w *World) { w.Address = "169.254.7.7:1" }, false, []string{"address: 169.254.7.7:1 is good on one link only"}},
		{"loopback's own route", func(w *World) { w.Routes = []Route{route("127.0.0.0/8", "127.0.0.1:1")} }, true, nil},
		{"a route to loopback", func(w *World) { w.Routes = []Route{route("10.0.0.0/8", "127.0.0.1:1")} }, true, []string{"routes: 10.0.0.0/8: address: 127.0.0.1:1 leads"}},
		{"an IPv6 route", func(w *World) { w.Routes = []Route{route("fd00::/8", "[fd00::1]:1")} }, true, []string{"routes: fd00::/8: address: clients of"}},
	} {
		w := world(1, "A")
		c.set(&w)
		got := w.Doubts(c.remote)
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func TestWorld_HostNames(t *testing.T) {
	w := world(1, "A")
	w.Native, w.Routes = "a.example:1", []Route{route("10.0.0.0/8", "a.example:2"), nativeRoute("b.example:3")}
	if got, want := w.HostNames(), []string{"a.example", "b.example"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCheckIP_ZoneOfAGoodAddress(t *testing.T) {
	for text, good := range map[string]bool{"192.0.2.1": true, "::1": true, "fe80::1%1": false, "0.0.0.0": false} {
		if err := CheckIP(netip.MustParseAddr(text)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestEveryAddress(t *testing.T) {
	for address, want := range map[string]bool{
		":1": true, "0.0.0.0:1": true, "[::]:1": true, "[::ffff:0.0.0.0]:1": true,
		"127.0.0.1:1": false, "a:1": false, "0.0.0.0": false,
	} {
		if got := EveryAddress(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
