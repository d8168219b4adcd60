package worlds

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/codec"
)

// args parses the arguments of a script's command.
type args struct {
	tb testing.TB
	d  *datadriven.TestData
}

func (a args) text(key string) (s string) {
	a.d.MaybeScanArgs(a.tb, key, &s)
	return s
}

func (a args) number(key string) (n uint64) {
	a.d.MaybeScanArgs(a.tb, key, &n)
	return n
}

func (a args) load() float32 {
	f, _ := strconv.ParseFloat(a.text("load"), 32) // none is 0
	return float32(f)
}

func (a args) name(key string) codec.Name {
	n, ok := codec.NameOf(a.text(key))
	if !ok {
		a.d.Fatalf(a.tb, "%s: not a name", key)
	}
	return n
}

func (a args) version() Version { return Version{a.number("epoch"), a.number("seq")} }

// registration returns a world from a short form. Fields that are not given are valid.
func (a args) registration() Registration {
	id := uint8(a.number("world"))
	r := Registration{
		World:       World{ID: id, Name: fmt.Sprintf("World %d", id), Address: fmt.Sprintf("192.0.2.%d:8085", id)},
		Incarnation: 1, Capacity: 100, Region: "eu",
	}
	if a.d.HasArg("name") {
		r.Name = a.text("name")
	}
	if a.d.HasArg("incarnation") {
		r.Incarnation = a.number("incarnation")
	}
	if a.d.HasArg("capacity") {
		r.Capacity = uint32(a.number("capacity"))
	}
	if arg, ok := a.d.Arg("routes"); ok {
		for _, v := range arg.Vals {
			r.Routes = append(r.Routes, Route{Network: netip.MustParsePrefix(v), Address: "10.0.0.1:8085"})
		}
	}
	r.Locked, r.Offline = a.d.HasArg("locked"), a.d.HasArg("offline")
	return r
}

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Epoch, v.Seq) }

// entryText returns the important fields of an entry.
func entryText(e *Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q #%d", e.ID, e.Name, e.Incarnation)
	if e.Offline {
		b.WriteString(" offline")
	}
	if e.Locked {
		b.WriteString(" locked")
	}
	for _, r := range e.Routes {
		fmt.Fprintf(&b, " %v", r.Network)
	}
	fmt.Fprintf(&b, " %d/%d", e.Players, e.Capacity)
	if e.Queue > 0 {
		fmt.Fprintf(&b, "+%d", e.Queue)
	}
	if e.Load > 0 {
		fmt.Fprintf(&b, " load %.2f", e.Load)
	}
	return b.String()
}

func changeText(c *Change) string {
	if c.Reset {
		return fmt.Sprintf("change %v reset", c.Version)
	}
	return fmt.Sprintf("change %v world %s", c.Version, entryText(c.Entry))
}
