package bus

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

func TestTurns_FloodTakesNobodysRoomOrTurn(t *testing.T) {
	t.Parallel()
	q := newTurns()
	taken := 0
	for i := range 2 * reignRoom {
		if q.put("world.9", &nats.Msg{Subject: fmt.Sprint(i)}) {
			taken++
		}
	}
	if taken != shareRoom {
		t.Errorf("%d of one sender wait, want %d", taken, shareRoom)
	}
	for _, subject := range []string{"a", "b"} {
		if !q.put("world.7", &nats.Msg{Subject: subject}) {
			t.Error("there is no room for another")
		}
	}
	var got []string
	for range 5 {
		<-q.ready
		got = append(got, q.next().Subject)
	}
	if want := []string{"0", "a", "1", "b", "2"}; !slices.Equal(got, want) {
		t.Errorf("taken %q, want %q", got, want)
	}
	for range shareRoom - 3 {
		<-q.ready
		q.next()
	}
	if q.next() != nil || len(q.ready) != 0 || !q.put("world.9", &nats.Msg{}) {
		t.Error("it is not empty")
	}
}

func TestTurns_AreBoundedInBytesAndSenders(t *testing.T) {
	t.Parallel()
	q := newTurns()
	large := &nats.Msg{Data: make([]byte, maxPayload)}
	taken := 0
	for range 2 * shareBytes / maxPayload {
		if q.put("login.eu1", large) {
			taken++
		}
	}
	if taken != shareBytes/maxPayload {
		t.Errorf("%d MiB of one sender wait", taken)
	}
	for i := range 2 * maxSenders {
		q.put(worlds.LoginNode(fmt.Sprint(i)), &nats.Msg{})
	}
	if n := len(q.lines); n != maxSenders {
		t.Errorf("%d senders", n)
	}
}

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

// A gate that drains leaves the list at once, and its players go on playing: they
// can be found and ended until they have left.
func TestDirectory_KnowsAWorldThatHasLeftTheList(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond, LoginGone: time.Second, Lease: 3 * time.Second})
	login, world := s.correspond("login.eu1", 1), s.correspondEvery("world.7", 70, 50*time.Millisecond)
	reg := s.join(world.conn, testRegistration(7, 70))
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	world.holdAlice(m)
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the world is offline", func() bool { return login.shows(7, true) })
	world.holdAlice(m)
	left := time.Now()
	eventually(t, "a while has passed", func() bool { return time.Since(left) > 1200*time.Millisecond })
	login.submit(worlds.Effect{End: &worlds.AccountEnd{Account: mustName(t, "ALICE"), Why: "ban"}})
	eventually(t, "the end", func() bool { return world.count(isEnd) == 1 })
	world.conn.nats.Close()
	eventually(t, "its key is forgotten", func() bool { return m.monitor.Stats().Directory.Entries == 0 })
}

func TestDirectory_ForgetsAWorldThatDiesInAReset(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond, Missed: 2, Lease: 3 * time.Second})
	login, world := s.correspond("login.eu1", 1), s.correspond("world.7", 70)
	s.join(world.conn, testRegistration(7, 70))
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	world.holdAlice(m)
	world.conn.nats.Close()
	if err := s.connect("admin.a").Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its key is forgotten", func() bool { return m.monitor.Stats().Directory.Entries == 0 })
}
