package bus_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

func TestNode_UpComesFirst(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.Correspond("login.eu1", 1)
	bustest.Eventually(t, "up", func() bool { return login.Count(bustest.IsUp) == 1 })
}

func TestNode_UpComesWithTheBus(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.Correspond("login.eu1", 1)
	bustest.Eventually(t, "up", func() bool { return login.Count(bustest.IsUp) == 1 })
	s.Restart()
	bustest.Eventually(t, "up again", func() bool { return login.Count(bustest.IsUp) == 2 })
	st := login.Conn.Stats()
	if st.Disconnects != 1 || st.Connects != 2 {
		t.Errorf("%+v", st)
	}
}

func TestNode_OnlyLoginServersAndWorlds(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	if _, err := s.Connect("dns.a").Node(bus.NodeOptions{}); err == nil {
		t.Error("a DNS server corresponds")
	}
}

func TestNode_MovesReachTheirAddresseeOnly(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login, world, other := s.Correspond("login.eu1", 1), s.Correspond("world.7", 2), s.Correspond("world.8", 3)
	m := worlds.Move{Kind: worlds.MoveOffer, Account: bustest.MustName(t, "ALICE"), Stamp: 5, Hop: 1, Key: worlds.NewSecret([]byte("forty bytes of key")), Validity: 60000}
	login.Submit(worlds.Effect{To: "world.7", Move: &m})
	bustest.Eventually(t, "the offer", func() bool { return world.Count(bustest.IsMove) == 1 })
	e := world.Find(bustest.IsMove)
	if e.From != "login.eu1" || *e.Move != m {
		t.Errorf("from %s: %+v", e.From, e.Move)
	}
	answer := worlds.Move{Kind: worlds.MoveAccept, Account: m.Account, Stamp: 5, Hop: 1, Ticket: 9}
	world.Submit(worlds.Effect{To: "login.eu1", Move: &answer})
	bustest.Eventually(t, "the answer", func() bool { return login.Count(bustest.IsMove) == 1 })
	if e := login.Find(bustest.IsMove); e.From != "world.7" || *e.Move != answer {
		t.Errorf("from %s: %+v", e.From, e.Move)
	}
	if other.Count(bustest.IsMove) != 0 {
		t.Error("another world has read the key")
	}
}

func TestNode_WorldCannotMoveToAWorld(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	world, other := s.Correspond("world.7", 2), s.Correspond("world.8", 3)
	world.Submit(worlds.Effect{To: "world.8", Move: &worlds.Move{Kind: worlds.MoveCommit, Account: bustest.MustName(t, "ALICE")}})
	bustest.Eventually(t, "the bus says no", func() bool { return world.Conn.Stats().Faults > 0 })
	if other.Count(bustest.IsMove) != 0 {
		t.Error("it arrived")
	}
}

func TestNode_CharactersReachLoginServers(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login, world := s.Correspond("login.eu1", 1), s.Connect("world.7")
	counts := make([]worlds.CharacterCount, wire.MaxEntries+1)
	for i := range counts {
		counts[i] = worlds.CharacterCount{Account: bustest.MustName(t, "A"+strings.Repeat("B", i%10)), Count: uint8(i)}
	}
	if err := world.ReportCharacters(7, counts); err != nil {
		t.Fatal(err)
	}
	is := func(e *worlds.Event) bool { return e.Characters != nil && e.Characters.World == 7 }
	bustest.Eventually(t, "both messages", func() bool { return login.Count(is) == 2 })
	if got := login.Find(is).Characters.Counts; len(got) != 1 || got[0] != counts[wire.MaxEntries] {
		t.Errorf("%v", got)
	}
}

// A world that reports characters without end loses its own words, and nobody
// else's.
func TestNode_AFloodOfCharactersTakesNobodysRoom(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	conn, world := s.Connect("login.eu1"), s.Connect("world.7")
	stuck, moves := make(chan struct{}), make(chan worlds.Event, 1)
	_, err := conn.Node(bus.NodeOptions{Incarnation: 1, Deliver: func(e worlds.Event) {
		<-stuck
		if bustest.IsMove(&e) {
			moves <- e
		}
	}})
	if err := errors.Join(err, conn.Client().Flush()); err != nil {
		t.Fatal(err)
	}
	some := []worlds.CharacterCount{{Account: bustest.MustName(t, "ALICE"), Count: 1}}
	for range 2 * bus.InboxRoom {
		if err := world.ReportCharacters(7, some); err != nil {
			t.Fatal(err)
		}
	}
	m := worlds.Move{Kind: worlds.MoveLive, Account: bustest.MustName(t, "ALICE"), Ticket: 1}
	b, err := wire.AppendMove(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(world.Client().Publish(wire.MoveSubject("login.eu1", "world.7"), b), world.Client().Flush(), conn.Client().Flush()); err != nil {
		t.Fatal(err)
	}
	close(stuck)
	select {
	case <-moves:
	case <-time.After(bustest.Patience):
		t.Fatal("the move is lost")
	}
	if conn.Stats().Overruns == 0 {
		t.Error("nothing was dropped")
	}
}

func TestNode_AnnouncementsShareAMessage(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.Correspond("login.eu1", 1)
	for range 100 {
		login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh))
	}
	bustest.Eventually(t, "all are sent", func() bool { return login.Conn.Stats().Announced == 100 })
	if n := login.Conn.Stats().Batches; n > 20 {
		t.Errorf("%d messages for 100 announcements", n)
	}
}

// What a client that has picked another world waits for does not wait for others.
func TestNode_RenewedGoesAtOnce(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.Correspond("login.eu1", 1)
	bustest.Eventually(t, "up", func() bool { return login.Count(bustest.IsUp) == 1 })
	login.Node.DelayBatches(time.Hour) // no batch is sent before
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh), bustest.Announce("BOB", 11, worlds.AnnounceRenewed))
	bustest.Eventually(t, "both are sent", func() bool { return login.Conn.Stats().Announced == 2 })
}

func TestNode_DroppedAnnouncementsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.Correspond("login.eu1", 1)
	bustest.Eventually(t, "up", func() bool { return login.Count(bustest.IsUp) == 1 })
	login.Node.FillAnnouncements()
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh))
	bustest.Eventually(t, "up again", func() bool { return login.Count(bustest.IsUp) == 2 })
	if n := login.Conn.Stats().DroppedAnnouncements; n != 1 {
		t.Errorf("%d dropped", n)
	}
}

func TestNode_SubmitKeepsNothing(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login, world := s.Correspond("login.eu1", 1), s.Correspond("world.7", 2)
	m := worlds.Move{Kind: worlds.MoveClaim, Account: bustest.MustName(t, "ALICE"), Proof: &worlds.Proof{World: true}}
	world.Submit(worlds.Effect{To: "login.eu1", Move: &m})
	m.Account, m.Proof.World = bustest.MustName(t, "MALLORY"), false
	bustest.Eventually(t, "the claim", func() bool { return login.Count(bustest.IsMove) == 1 })
	if got := login.Find(bustest.IsMove).Move; got.Account != bustest.MustName(t, "ALICE") || !got.Proof.World {
		t.Errorf("%+v", got)
	}
}

// The hello of a life goes before what is announced in it, whatever races.
func TestNode_HelloGoesBeforeWhatIsHeld(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login, manager := s.Correspond("login.eu1", 7), s.Connect("manager.a")
	bustest.Eventually(t, "up", func() bool { return login.Count(bustest.IsUp) == 1 })
	heard := make(chan *nats.Msg, 1000)
	if _, err := manager.Client().ChanSubscribe(wire.PrefixAnnounce+">", heard); err != nil {
		t.Fatal(err)
	}
	if err := manager.Client().Flush(); err != nil {
		t.Fatal(err)
	}
	login.Submit(bustest.Announce("OLD", 1, worlds.AnnounceFresh))
	go login.Conn.Raise()
	for i := range 20 {
		login.Submit(bustest.Announce("ALICE", worlds.Stamp(i), worlds.AnnounceHeld))
	}
	bustest.Eventually(t, "up again", func() bool { return login.Count(bustest.IsUp) == 2 })
	login.Submit(bustest.Announce("LAST", 99, worlds.AnnounceHeld))
	lives := []uint64{7}
	for last := false; !last; {
		m := <-heard
		life, all, err := wire.DecodeAnnounce(m.Data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if life != lives[len(lives)-1] {
			lives = append(lives, life)
			if len(all) != 0 {
				t.Errorf("life %d begins without a hello: %v", life, all)
			}
		}
		last = len(all) > 0 && all[len(all)-1].Account == bustest.MustName(t, "LAST")
	}
	if len(lives) != 2 || lives[1] != 8 {
		t.Errorf("lives %v", lives)
	}
}
