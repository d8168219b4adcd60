package worlds

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// faultCase changes one thing of a valid value. field is the name in the error, or
// empty if the value stays valid.
type faultCase[T any] struct {
	what   string
	change func(*T)
	field  string
}

func runFaults[T any](t *testing.T, sound func() T, validate func(*T) error, cases []faultCase[T]) {
	t.Helper()
	for _, c := range cases {
		v := sound()
		c.change(&v)
		err := validate(&v)
		if (err != nil) != (c.field != "") || err != nil && !strings.Contains(err.Error(), c.field+": ") {
			t.Errorf("%s: %v, want a fault of %q", c.what, err, c.field)
		}
	}
}

func route(network, address string) Route {
	return Route{Network: netip.MustParsePrefix(network), Address: address}
}

func nativeRoute(native string) Route {
	r := route("10.0.0.0/8", "192.0.2.1:8085")
	r.Native = native
	return r
}

// make32 returns the largest number of builds of a world.
func make32(build uint16) []uint16 { return slices.Repeat([]uint16{build}, maxBuilds) }

// nine returns more routes than a world may have.
func nine() (routes []Route) {
	for i := range maxRoutes + 1 {
		routes = append(routes, Route{Network: prefix("10.%d.0.0/16", i), Address: "192.0.2.1:1"})
	}
	return routes
}

func TestWorld_Validate(t *testing.T) {
	runFaults(t, func() World { return world(1, "A") }, (*World).Validate, []faultCase[World]{
		{"sound", func(*World) {}, ""},
		{"no id", func(w *World) { w.ID = 0 }, "id"},
		{"no name", func(w *World) { w.Name = "" }, "name"},
		{"longest name", func(w *World) { w.Name = strings.Repeat("n", maxName) }, ""},
		{"longer name", func(w *World) { w.Name = strings.Repeat("n", maxName+1) }, "name"},
		{"umlauts and blanks", func(w *World) { w.Name = "Größe 世界" }, ""},
		{"zero in the name", func(w *World) { w.Name = "a\x00b" }, "name"},
		{"line in the name", func(w *World) { w.Name = "a\nb" }, "name"},
		{"half a letter in the name", func(w *World) { w.Name = "a\xc3" }, "name"},
		{"turned name", func(w *World) { w.Name = "a\u202eb" }, "name"},
		{"no address", func(w *World) { w.Address = "" }, "address"},
		{"no host", func(w *World) { w.Address = ":8085" }, "address"},
		{"no port", func(w *World) { w.Address = "192.0.2.1" }, "address"},
		{"port by name", func(w *World) { w.Address = "192.0.2.1:http" }, "address"},
		{"port 0", func(w *World) { w.Address = "192.0.2.1:0" }, "address"},
		{"port too great", func(w *World) { w.Address = "192.0.2.1:65536" }, "address"},
		{"host with a blank", func(w *World) { w.Address = "a b:1" }, "address"},
		{"native", func(w *World) { w.Native = "[fd00::1]:8086" }, ""},
		{"no native port", func(w *World) { w.Native = "192.0.2.1" }, "native address"},
		{"a native route", func(w *World) { w.Routes = []Route{nativeRoute("192.0.2.1:8086")} }, ""},
		{"no native port of a route", func(w *World) { w.Routes = []Route{nativeRoute("192.0.2.1")} }, "native address"},
		{"native builds", func(w *World) { w.NativeBuilds = make32(1) }, ""},
		{"a native build of 0", func(w *World) { w.NativeBuilds = []uint16{0} }, "native builds"},
		{"many native builds", func(w *World) { w.NativeBuilds = append(make32(1), 1) }, "native builds"},
		{"zero in the address", func(w *World) { w.Address = "a\x00:1" }, "address"},
		{"host by name", func(w *World) { w.Address = "world.example:8085" }, ""},
		{"host of IPv6", func(w *World) { w.Address = "[2001:db8::1]:8085" }, ""},
		{"longer address", func(w *World) { w.Address = strings.Repeat("a", maxAddress) + ":1" }, "address"},
		{"the greatest category", func(w *World) { w.Category = 37 }, ""},
		{"a category that no client knows", func(w *World) { w.Category = 38 }, "category"},
		{"population", func(w *World) { w.Population = 2.1 }, "population"},
		{"no number of a population", func(w *World) { w.Population = float32(math.NaN()) }, "population"},
		{"build 0", func(w *World) { w.Builds = []uint16{5875, 0} }, "builds"},
		{"32 builds", func(w *World) { w.Builds = slices.Repeat([]uint16{5875}, maxBuilds) }, ""},
		{"33 builds", func(w *World) { w.Builds = slices.Repeat([]uint16{5875}, maxBuilds+1) }, "builds"},
		{"8 routes", func(w *World) { w.Routes = nine()[1:] }, ""},
		{"9 routes", func(w *World) { w.Routes = nine() }, "routes"},
		{"everybody's route", func(w *World) { w.Routes = []Route{route("0.0.0.0/0", "a:1"), route("::/0", "b:1")} }, ""},
		{"no network", func(w *World) { w.Routes = []Route{{Address: "a:1"}} }, "routes"},
		{"network with bits behind it", func(w *World) { w.Routes = []Route{route("10.0.0.1/8", "a:1")} }, "routes"},
		{"mapped network", func(w *World) { w.Routes = []Route{route("::ffff:10.0.0.0/104", "a:1")} }, "routes"},
		{"a network twice", func(w *World) { w.Routes = []Route{route("10.0.0.0/8", "a:1"), route("10.0.0.0/8", "b:1")} }, "routes"},
		{"route's address", func(w *World) { w.Routes = []Route{route("10.0.0.0/8", "a")} }, "routes"},
	})
}

func TestKind_String_IsWhatParseKindReads(t *testing.T) {
	for _, k := range []Kind{KindPvE, KindPvP, KindPlain, KindRP, KindRPPvP} {
		if back, err := ParseKind(k.String()); err != nil || back != k {
			t.Errorf("%v: %v, %v", k, back, err)
		}
	}
	if s := Kind(99).String(); s != "kind(99)" {
		t.Error(s)
	}
}
