package logic

import (
	"testing"

	"gatepass/codec"
)

// Each filter that refuses counts under its own name, once a refusal, and nothing else
// does.
func TestStats_RefusedBy(t *testing.T) {
	e := newScenario(t)
	number := 0
	hello := func(build uint16, before func()) {
		number++
		conn := codec.NewConn(0, number, 1)
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
		before() // it is connected; what is refused is its hello
		name, _ := codec.NameOf("ANA")
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: codec.Hello{Build: build, Name: name}}))
	}
	hello(5875, func() {})
	for name, n := range e.core.Stats().RefusedBy {
		if n != 0 {
			t.Errorf("%s has refused %d before anybody was", name, n)
		}
	}
	hello(1, func() {})
	hello(2, func() {})
	hello(5875, func() { e.core.service.maintenance = true })
	e.core.service.maintenance = false
	hello(5875, func() { e.core.service.draining = true })
	got := e.core.Stats().RefusedBy
	for i := range e.core.rules.list {
		want := map[string]uint64{"version": 2, "maintenance": 1, "drain": 1}[e.core.rules.list[i].Name]
		if n, ok := got[e.core.rules.list[i].Name]; !ok || n != want {
			t.Errorf("%s has refused %d, want %d", e.core.rules.list[i].Name, n, want)
		}
	}
	if len(got) != len(e.core.rules.list) {
		t.Errorf("%d names for %d filters", len(got), len(e.core.rules.list))
	}
}
