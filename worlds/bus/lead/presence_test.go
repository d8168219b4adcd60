package lead

import (
	"slices"
	"testing"

	"gatepass/worlds"
)

func TestPresence_WhoIsGone(t *testing.T) {
	t.Parallel()
	p := newPresence()
	p.doubt("world.1") // never heard of
	for _, node := range []worlds.Node{"world.7", "world.8", "login.eu1"} {
		p.hear(node, 100)
	}
	p.doubt("world.7")
	p.hear("world.8", 5000)
	if gone := p.silent(6099, 6000, 30000); gone != nil {
		t.Errorf("%v are gone", gone)
	}
	if gone := p.silent(6100, 6000, 30000); !slices.Equal(gone, []worlds.Node{"world.7"}) {
		t.Errorf("%v are gone", gone)
	}
	if gone := p.silent(30100, 6000, 30000); !slices.Equal(gone, []worlds.Node{"login.eu1"}) {
		t.Errorf("%v are gone", gone)
	}
	if len(p.nodes) != 1 {
		t.Errorf("%v are remembered", p.nodes)
	}
}
