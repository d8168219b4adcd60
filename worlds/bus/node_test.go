package bus

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

func isUp(e *worlds.Event) bool    { return e.Up }
func isPlace(e *worlds.Event) bool { return e.Place != nil }
func isEnd(e *worlds.Event) bool   { return e.End != nil }
func isMove(e *worlds.Event) bool  { return e.Move != nil }

func announce(account string, stamp worlds.Stamp, kind worlds.AnnouncementKind) worlds.Effect {
	var a worlds.Announcement
	copy(a.Account[:], account)
	a.Stamp, a.Kind = stamp, kind
	return worlds.Effect{Announce: &a}
}

func (c *correspondent) locate(account string, tag uint64) {
	l := worlds.Locate{Tag: tag, Wait: true}
	copy(l.Account[:], account)
	c.submit(worlds.Effect{Locate: &l})
}

func TestNode_UpComesFirst(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.correspond("login.eu1", 1)
	eventually(t, "up", func() bool { return login.count(isUp) == 1 })
}

func TestNode_UpComesWithTheBus(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.correspond("login.eu1", 1)
	eventually(t, "up", func() bool { return login.count(isUp) == 1 })
	s.restart()
	eventually(t, "up again", func() bool { return login.count(isUp) == 2 })
	st := login.conn.Stats()
	if st.Disconnects != 1 || st.Connects != 2 {
		t.Errorf("%+v", st)
	}
}

func TestNode_OnlyLoginServersAndWorlds(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if _, err := s.connect("dns.a").Node(NodeOptions{}); err == nil {
		t.Error("a DNS server corresponds")
	}
}

func TestNode_MovesReachTheirAddresseeOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login, world, other := s.correspond("login.eu1", 1), s.correspond("world.7", 2), s.correspond("world.8", 3)
	m := worlds.Move{Kind: worlds.MoveOffer, Account: mustName(t, "ALICE"), Stamp: 5, Hop: 1, Key: worlds.NewSecret([]byte("forty bytes of key")), Validity: 60000}
	login.submit(worlds.Effect{To: "world.7", Move: &m})
	eventually(t, "the offer", func() bool { return world.count(isMove) == 1 })
	e := world.find(isMove)
	if e.From != "login.eu1" || *e.Move != m {
		t.Errorf("from %s: %+v", e.From, e.Move)
	}
	answer := worlds.Move{Kind: worlds.MoveAccept, Account: m.Account, Stamp: 5, Hop: 1, Ticket: 9}
	world.submit(worlds.Effect{To: "login.eu1", Move: &answer})
	eventually(t, "the answer", func() bool { return login.count(isMove) == 1 })
	if e := login.find(isMove); e.From != "world.7" || *e.Move != answer {
		t.Errorf("from %s: %+v", e.From, e.Move)
	}
	if other.count(isMove) != 0 {
		t.Error("another world has read the key")
	}
}

func TestNode_WorldCannotMoveToAWorld(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	world, other := s.correspond("world.7", 2), s.correspond("world.8", 3)
	world.submit(worlds.Effect{To: "world.8", Move: &worlds.Move{Kind: worlds.MoveCommit, Account: mustName(t, "ALICE")}})
	eventually(t, "the bus says no", func() bool { return world.conn.Stats().Faults > 0 })
	if other.count(isMove) != 0 {
		t.Error("it arrived")
	}
}

func TestDirectory_FindsAndEnds(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{}).mustLead(t)
	one, two, world := s.correspond("login.eu1", 1), s.correspond("login.eu2", 2), s.correspond("world.7", 3)
	s.mustJoin(world.conn, 3)
	world.locate("ALICE", 42) // before anybody has her
	one.submit(announce("ALICE", 10, worlds.AnnounceFresh))
	eventually(t, "the place", func() bool { return world.count(isPlace) == 1 })
	if p := world.find(isPlace).Place; p.Holder != "login.eu1" || p.Stamp != 0 || p.Tag != 42 {
		t.Errorf("%+v", p)
	}
	two.submit(announce("ALICE", 20, worlds.AnnounceFresh))
	eventually(t, "the older login ends", func() bool { return one.count(isEnd) == 1 })
	if e := one.find(isEnd).End; e.Stamp != 10 || e.Why != "second login" {
		t.Errorf("%+v", e)
	}
	one.submit(worlds.Effect{End: &worlds.AccountEnd{Account: mustName(t, "ALICE"), Why: "ban"}})
	eventually(t, "the ban arrives", func() bool { return two.count(isEnd) == 1 })
	if e := two.find(isEnd).End; e.Why != "ban" {
		t.Errorf("%+v", e)
	}
}

func TestDirectory_IsFilledAnewAfterAFailOver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	leader, other := leaderOf(t, s.manage("manager.a", ManagerOptions{}), s.manage("manager.b", ManagerOptions{}))
	login, world := s.correspond("login.eu1", 1), s.correspond("world.7", 3)
	eventually(t, "the first epoch", func() bool { return login.newEpochs() > 0 })
	s.mustJoin(world.conn, 3)
	upsBefore, epochsBefore := world.count(isUp), login.newEpochs()

	leader.conn.nats.Close()
	eventually(t, "the other leads", other.leads)
	eventually(t, "the login server is to announce", func() bool { return login.newEpochs() > epochsBefore })
	eventually(t, "the world is to announce", func() bool { return world.count(isUp) > upsBefore })
	login.submit(announce("ALICE", 10, worlds.AnnounceHeld))
	world.locate("ALICE", 1)
	eventually(t, "the place", func() bool { return world.count(isPlace) == 1 })
}

func TestDirectory_ForgetsAWorldThatIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Heartbeat: 60 * time.Millisecond, Missed: 2})
	login, world := s.correspond("login.eu1", 1), s.correspond("world.7", 70)
	s.join(world.conn, testRegistration(7, 70))
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	world.holdAlice(m)
	world.conn.nats.Close()
	eventually(t, "its key is forgotten", func() bool { return m.monitor.Stats().Directory.Entries == 0 })
}

// TestDirectory_TakesAllKeysAtOnce: after a fail-over a login server announces
// everything, and neither the bus nor the manager may choke on it.
func TestDirectory_TakesAllKeysAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	login := s.correspond("login.eu1", 1)
	all := manyAnnouncements(100_000)
	effects := make([]worlds.Effect, len(all))
	for i := range all {
		effects[i].Announce = &all[i]
	}
	login.submit(effects...)
	eventually(t, "all are known", func() bool { return m.monitor.Stats().Directory.Entries == len(all) })
	if st := m.conn.Stats(); st.Overruns+st.Disconnects+login.conn.Stats().DroppedAnnouncements != 0 {
		t.Errorf("%+v", st)
	}
}

func TestNode_CharactersReachLoginServers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login, world := s.correspond("login.eu1", 1), s.connect("world.7")
	counts := make([]worlds.CharacterCount, maxEntries+1)
	for i := range counts {
		counts[i] = worlds.CharacterCount{Account: mustName(t, "A"+strings.Repeat("B", i%10)), Count: uint8(i)}
	}
	if err := world.ReportCharacters(7, counts); err != nil {
		t.Fatal(err)
	}
	is := func(e *worlds.Event) bool { return e.Characters != nil && e.Characters.World == 7 }
	eventually(t, "both messages", func() bool { return login.count(is) == 2 })
	if got := login.find(is).Characters.Counts; len(got) != 1 || got[0] != counts[maxEntries] {
		t.Errorf("%v", got)
	}
}

// A world that reports characters without end loses its own words, and nobody
// else's.
func TestNode_AFloodOfCharactersTakesNobodysRoom(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	conn, world := s.connect("login.eu1"), s.connect("world.7")
	stuck, moves := make(chan struct{}), make(chan worlds.Event, 1)
	_, err := conn.Node(NodeOptions{Incarnation: 1, Deliver: func(e worlds.Event) {
		<-stuck
		if isMove(&e) {
			moves <- e
		}
	}})
	if err := errors.Join(err, conn.nats.Flush()); err != nil {
		t.Fatal(err)
	}
	some := []worlds.CharacterCount{{Account: mustName(t, "ALICE"), Count: 1}}
	for range 2 * inboxRoom {
		if err := world.ReportCharacters(7, some); err != nil {
			t.Fatal(err)
		}
	}
	m := worlds.Move{Kind: worlds.MoveLive, Account: mustName(t, "ALICE"), Ticket: 1}
	b, err := appendMove(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(world.nats.Publish(moveSubject("login.eu1", "world.7"), b), world.nats.Flush(), conn.nats.Flush()); err != nil {
		t.Fatal(err)
	}
	close(stuck)
	select {
	case <-moves:
	case <-time.After(patience):
		t.Fatal("the move is lost")
	}
	if conn.Stats().Overruns == 0 {
		t.Error("nothing was dropped")
	}
}

func TestNode_AnnouncementsShareAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.correspond("login.eu1", 1)
	for range 100 {
		login.submit(announce("ALICE", 10, worlds.AnnounceFresh))
	}
	eventually(t, "all are sent", func() bool { return login.conn.Stats().Announced == 100 })
	if n := login.conn.Stats().Batches; n > 20 {
		t.Errorf("%d messages for 100 announcements", n)
	}
}

// What a client that has picked another world waits for does not wait for others.
func TestNode_RenewedGoesAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.correspond("login.eu1", 1)
	eventually(t, "up", func() bool { return login.count(isUp) == 1 })
	login.node.mu.Lock()
	login.node.sentAt = login.conn.clock() + time.Hour // nothing else goes before
	login.node.mu.Unlock()
	login.submit(announce("ALICE", 10, worlds.AnnounceFresh), announce("BOB", 11, worlds.AnnounceRenewed))
	eventually(t, "both are sent", func() bool { return login.conn.Stats().Announced == 2 })
}

// Under the rule that nobody comes in twice who is in a world picks another one, and
// the world that is left hears of it.
func TestDirectory_RenewedEndsTheOlderStay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{SecondLogin: worlds.SecondLoginRefuse}).mustLead(t)
	login, other, world := s.correspond("login.eu1", 1), s.correspond("login.eu2", 2), s.correspond("world.7", 3)
	s.mustJoin(world.conn, 3)
	login.submit(announce("ALICE", 10, worlds.AnnounceFresh))
	login.locate("ALICE", 1)
	eventually(t, "the login is known", func() bool { return login.count(isPlace) == 1 })
	moved := announce("ALICE", 10, worlds.AnnounceMoved)
	moved.Announce.Hop = 1
	world.submit(s.vouched("world.7", moved))
	eventually(t, "the stay is known", func() bool {
		login.locate("ALICE", 2)
		return login.find(isPlace).Place.Holder == "world.7"
	})
	other.submit(announce("ALICE", 15, worlds.AnnounceFresh))
	eventually(t, "somebody else is refused", func() bool { return other.count(isEnd) == 1 })
	login.submit(announce("ALICE", 20, worlds.AnnounceRenewed))
	eventually(t, "the older stay ends", func() bool { return world.count(isEnd) == 1 })
	if e := world.find(isEnd).End; e.Stamp != 10 || login.count(isEnd) != 0 {
		t.Errorf("%+v, and the login server is told %d ends", e, login.count(isEnd))
	}
}

func TestNode_DroppedAnnouncementsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.correspond("login.eu1", 1)
	eventually(t, "up", func() bool { return login.count(isUp) == 1 })
	full := make([]worlds.Announcement, maxAnnouncements)
	login.node.mu.Lock()
	login.node.pending = full
	login.node.mu.Unlock()
	login.submit(announce("ALICE", 10, worlds.AnnounceFresh))
	eventually(t, "up again", func() bool { return login.count(isUp) == 2 })
	if n := login.conn.Stats().DroppedAnnouncements; n != 1 {
		t.Errorf("%d dropped", n)
	}
}

func TestNode_SubmitKeepsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login, world := s.correspond("login.eu1", 1), s.correspond("world.7", 2)
	m := worlds.Move{Kind: worlds.MoveClaim, Account: mustName(t, "ALICE"), Proof: &worlds.Proof{World: true}}
	world.submit(worlds.Effect{To: "login.eu1", Move: &m})
	m.Account, m.Proof.World = mustName(t, "MALLORY"), false
	eventually(t, "the claim", func() bool { return login.count(isMove) == 1 })
	if got := login.find(isMove).Move; got.Account != mustName(t, "ALICE") || !got.Proof.World {
		t.Errorf("%+v", got)
	}
}

func TestNode_CloseSendsWhatWasSubmitted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	login := s.correspond("login.eu1", 1)
	login.submit(announce("ALICE", 10, worlds.AnnounceFresh))
	login.conn.Close()
	login.conn.Close()
	if err := login.node.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "it is known, and that it is over", func() bool {
		d := m.monitor.Stats().Directory
		return d.Logins == 1 && d.Entries == 0
	})
}

// What a node let go of while it was cut off is not known any more once it is back,
// and what it holds is.
func TestDirectory_ForgetsWhatANodeHeldBeforeItWasCutOff(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	login := s.correspond("login.eu1", 1)
	login.submit(announce("ALICE", 10, worlds.AnnounceFresh), announce("BOB", 11, worlds.AnnounceFresh))
	eventually(t, "both are known", func() bool { return m.monitor.Stats().Directory.Entries == 2 })
	ups := login.count(isUp)
	if err := login.conn.nats.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "up again", func() bool { return login.count(isUp) == ups+1 })
	login.submit(announce("BOB", 11, worlds.AnnounceHeld))
	eventually(t, "one is known", func() bool { return m.monitor.Stats().Directory.Entries == 1 })
	login.locate("BOB", 1)
	eventually(t, "the place", func() bool { return login.count(isPlace) == 1 })
	if p := login.find(isPlace).Place; p.Holder != "login.eu1" {
		t.Errorf("%+v", p)
	}
}

// The hello of a life goes before what is announced in it, whatever races.
func TestNode_HelloGoesBeforeWhatIsHeld(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login, manager := s.correspond("login.eu1", 7), s.connect("manager.a")
	eventually(t, "up", func() bool { return login.count(isUp) == 1 })
	heard := make(chan *nats.Msg, 1000)
	if _, err := manager.nats.ChanSubscribe(prefixAnnounce+">", heard); err != nil {
		t.Fatal(err)
	}
	if err := manager.nats.Flush(); err != nil {
		t.Fatal(err)
	}
	login.submit(announce("OLD", 1, worlds.AnnounceFresh))
	go login.conn.raise()
	for i := range 20 {
		login.submit(announce("ALICE", worlds.Stamp(i), worlds.AnnounceHeld))
	}
	eventually(t, "up again", func() bool { return login.count(isUp) == 2 })
	login.submit(announce("LAST", 99, worlds.AnnounceHeld))
	lives := []uint64{7}
	for last := false; !last; {
		m := <-heard
		life, all, err := decodeAnnounce(m.Data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if life != lives[len(lives)-1] {
			lives = append(lives, life)
			if len(all) != 0 {
				t.Errorf("life %d begins without a hello: %v", life, all)
			}
		}
		last = len(all) > 0 && all[len(all)-1].Account == mustName(t, "LAST")
	}
	if len(lives) != 2 || lives[1] != 8 {
		t.Errorf("lives %v", lives)
	}
}
