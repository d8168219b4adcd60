package worlds

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func registration() Registration {
	return Registration{World: world(7, "A"), Region: "eu-west", Incarnation: 1, Capacity: 100}
}

func TestRegistration_Validate(t *testing.T) {
	runFaults(t, registration, (*Registration).Validate, []faultCase[Registration]{
		{"sound", func(*Registration) {}, ""},
		{"no region", func(r *Registration) { r.Region = "" }, ""},
		{"longer region", func(r *Registration) { r.Region = strings.Repeat("r", maxRegion+1) }, "region"},
		{"line in the region", func(r *Registration) { r.Region = "a\tb" }, "region"},
		{"no incarnation", func(r *Registration) { r.Incarnation = 0 }, "incarnation"},
		{"no capacity", func(r *Registration) { r.Capacity = 0 }, "capacity"},
		{"greatest capacity", func(r *Registration) { r.Capacity = MaxCapacity }, ""},
		{"greater capacity", func(r *Registration) { r.Capacity = MaxCapacity + 1 }, "capacity"},
		{"a fault of the world", func(r *Registration) { r.ID = 0 }, "id"},
	})
	everything := Registration{World: World{Population: -1, Builds: []uint16{0}, Routes: nine()}, Region: "\x00"}
	err := everything.Validate()
	for _, field := range []string{"id", "name", "address", "population", "builds", "routes", "region", "incarnation", "capacity"} {
		if err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s is not in: %v", field, err)
		}
	}
}

// The log does not repeat all of a stranger's text.
func TestRegistration_Validate_ItsErrorIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	r := Registration{World: World{Name: long, Address: long, Routes: []Route{{Address: long}}}, Region: long}
	if n := len(r.Validate().Error()); n > 4096 {
		t.Errorf("%d bytes", n)
	}
}

func TestBeat_Validate(t *testing.T) {
	for load, want := range map[float32]bool{0: true, 0.5: true, 1: true, -0.01: false, 1.01: false, float32(math.Inf(1)): false} {
		if err := (&Beat{Load: load}).Validate(); (err == nil) != want {
			t.Errorf("load %v: %v", load, err)
		}
	}
	if (&Beat{Load: float32(math.NaN())}).Validate() == nil {
		t.Error("a load that is no number was taken")
	}
}

func TestEntry_Shown(t *testing.T) {
	entry := func(change func(*Entry)) World {
		e := Entry{Registration: registration(), Players: 50}
		change(&e)
		return e.shown()
	}
	for _, c := range []struct {
		what       string
		w          World
		population float32
		full       bool
		queue      uint32
	}{
		{"half full", entry(func(*Entry) {}), 1, false, 0},
		{"empty", entry(func(e *Entry) { e.Players = 0 }), 0, false, 0},
		{"one place left", entry(func(e *Entry) { e.Players = 99 }), 1.98, false, 0},
		{"full", entry(func(e *Entry) { e.Players = 100 }), 2, true, 0},
		{"fuller", entry(func(e *Entry) { e.Players = 1000 }), 2, true, 0},
		{"somebody waits", entry(func(e *Entry) { e.Queue = 1 }), 1, true, 1},
		{"says so", entry(func(e *Entry) { e.Full = true }), 1, true, 0},
		{"full, but offline", entry(func(e *Entry) { e.Players, e.Queue, e.Offline = 100, 3, true }), 0, false, 0},
		{"what the world said of its population", entry(func(e *Entry) { e.Population = 2 }), 1, false, 0},
	} {
		if c.w.Population != c.population || c.w.Full != c.full || c.w.Queue != c.queue {
			t.Errorf("%s: population %v, full %v, queue %d", c.what, c.w.Population, c.w.Full, c.w.Queue)
		}
	}
}

func TestRecord_JSON_RoundTrip(t *testing.T) {
	r := Record{registration()}
	r.Routes = []Route{route("10.0.0.0/8", "10.0.0.1:8085"), route("fd00::/8", "[fd00::1]:8085")}
	r.Builds, r.Offline, r.Locked, r.Full, r.Kind = []uint16{5875, 12340}, true, true, true, KindRP
	r.Native, r.NativeBuilds, r.Routes[1].Native = "192.0.2.1:8086", []uint16{1, 2}, "[fd00::1]:8086"
	r.Population, r.Incarnation = 0, math.MaxUint64 // larger than other programs' JSON numbers
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"format":1,"id":7,"name":"A","address":"192.0.2.1:8085",` +
		`"routes":[{"network":"10.0.0.0/8","address":"10.0.0.1:8085"},{"network":"fd00::/8","address":"[fd00::1]:8085","native":"[fd00::1]:8086"}],` +
		`"kind":6,"category":1,"offline":true,"locked":true,"full":true,"builds":[5875,12340],` +
		`"region":"eu-west","incarnation":"18446744073709551615","capacity":100,` +
		`"native":"192.0.2.1:8086","native_builds":[1,2]}`
	if string(b) != want {
		t.Errorf("stored as\n%s, want\n%s", b, want)
	}
	var back Record
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("%v\n%+v\n%+v", err, back, r)
	}
}

// Records from before the native protocol can still be read.
func TestRecord_JSON_BeforeNative(t *testing.T) {
	const stored = `{"format":1,"id":7,"name":"A","address":"192.0.2.1:8085","routes":[{"network":"10.0.0.0/8","address":"10.0.0.1:8085"}],` +
		`"kind":1,"category":1,"offline":false,"locked":false,"full":false,"region":"eu-west","incarnation":"1","capacity":100}`
	want := Record{registration()}
	want.Routes, want.Population = []Route{route("10.0.0.0/8", "10.0.0.1:8085")}, 0
	var got Record
	if err := json.Unmarshal([]byte(stored), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
}

func TestRecord_JSON_RefusesWhatItDoesNotKnow(t *testing.T) {
	for text, want := range map[string]string{
		`{"format":2,"id":1}`:                   "format 2 is not known",
		`{"id":1}`:                              "format 0 is not known",
		`{"format":1,"id":1}`:                   "capacity: ",
		`{"format":1,"id":300}`:                 "stored world",
		`{"format":1,"routes":[{"network":7}]}`: "stored world",
		`7`:                                     "stored world",
	} {
		r := Record{registration()}
		if err := json.Unmarshal([]byte(text), &r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(r, Record{registration()}) {
			t.Errorf("%s changed the record", text)
		}
	}
}

func TestWorldOf(t *testing.T) {
	for node, want := range map[Node]uint8{"world.1": 1, "world.255": 255, "world.01": 0, "world.256": 0, "world.": 0, "login.1": 0, "world": 0, "": 0} {
		if id, ok := WorldOf(node); ok != (want > 0) || ok && id != want {
			t.Errorf("%q: %d, %v", node, id, ok)
		}
	}
}
