package roles

import (
	"testing"
	"time"

	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/dns"
)

// While the bus is away the last heartbeats are repeated; who had fallen silent
// before is not brought back.
func TestLastBeats_StandWhileTheBusIsAway(t *testing.T) {
	names, glue, err := dns.ParseNS([]string{"ns1.login.example.org=192.0.2.53"})
	if err != nil {
		t.Fatal(err)
	}
	server, err := dns.New(dns.Options{Zone: "login.example.org", Listen: "127.0.0.1:0", NS: names, Glue: glue})
	if err != nil {
		t.Fatal(err)
	}
	l := &lastBeats{server: server, forget: 3 * time.Second, last: make(map[worlds.Node]heardBeat)}
	l.beat(worlds.LoginBeat{Node: "login.a", Address: "192.0.2.1:3724", MaxConns: 10})
	now := deadline.Now()
	for i, c := range []struct {
		up    bool
		after time.Duration
		beats uint64 // the server has had by then
		kept  int
	}{
		{true, time.Second, 1, 1},       // heard: nothing to repeat
		{false, 10 * time.Second, 2, 1}, // away, however long
		{false, 20 * time.Second, 3, 1}, //
		{true, 21 * time.Second, 3, 1},  // back: it has a moment to show itself
		{true, 24 * time.Second, 3, 0},  // it did not, and is gone
		{false, 25 * time.Second, 3, 0}, // for good
	} {
		l.repeat(c.up, now+c.after)
		if st := server.Stats(); uint64(st.Beats) != c.beats || len(l.last) != c.kept {
			t.Errorf("step %d: %d beats and %d kept, want %d and %d", i, st.Beats, len(l.last), c.beats, c.kept)
		}
	}
}
