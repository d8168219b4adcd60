package lead

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// thief is who has a world's credentials, with a client that knows nothing of gatepass.
type thief struct {
	t      *testing.T
	nats   *nats.Conn
	self   worlds.Node
	answer *nats.Subscription
	end    *nats.Subscription
	life   uint64
}

func steal(t *testing.T, s *bustest.Stage, self worlds.Node) *thief {
	t.Helper()
	x := &thief{t: t, nats: bustest.MustJoin(t, s.Server, s.CredsOf(self)), self: self, life: 1}
	var err, fault error
	x.answer, err = x.nats.SubscribeSync(wire.PrefixPlace + string(self))
	x.end, fault = x.nats.SubscribeSync(wire.PrefixEnd + string(self))
	if err != nil || fault != nil {
		t.Fatal(err, fault)
	}
	return x
}

// announces says that an account's key is at the stolen world.
func (x *thief) announces(a worlds.Announcement) {
	x.t.Helper()
	if err := x.nats.Publish(wire.PrefixAnnounce+string(x.self), wire.AppendAnnounce(nil, x.life, []worlds.Announcement{a})); err != nil {
		x.t.Fatal(err)
	}
}

// asks asks for an account; it does not wait.
func (x *thief) asks(account string) {
	x.t.Helper()
	l := worlds.Locate{Account: bustest.MustName(x.t, account), Tag: 1}
	if err := x.nats.Publish(wire.PrefixLocate+string(x.self), wire.AppendLocate(nil, &l)); err != nil {
		x.t.Fatal(err)
	}
}

// placeOf is the next answer's holder.
func (x *thief) placeOf(account string) string {
	x.t.Helper()
	x.asks(account)
	m, err := x.answer.NextMsg(bustest.Patience)
	if err != nil {
		x.t.Fatal(err)
	}
	place, _, err := wire.DecodePlace(m.Data)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(place.Holder)
}

// told is how many ends came.
func (x *thief) told() int {
	n, _, err := x.end.Pending()
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

// patientManager is one that a busy machine does not keep from leading, and that
// forgets no world because it was slow.
func patientManager() ManagerOptions {
	return ManagerOptions{Heartbeat: 2 * time.Second, Lease: 3 * time.Second}
}

// mustTake has ALICE at a login server and BOB in a world.
func mustTake(t *testing.T, s *bustest.Stage, m *testManager, world worlds.Node) (login, player *bustest.Correspondent) {
	t.Helper()
	login, player = s.Correspond("login.eu1", 1), s.Correspond(world, 3)
	s.MustJoin(player.Conn, 3)
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh), bustest.Announce("BOB", 11, worlds.AnnounceFresh))
	moved := bustest.Announce("BOB", 11, worlds.AnnounceMoved)
	moved.Announce.Hop = 1
	bustest.Eventually(t, "both are known", func() bool { return m.monitor.Stats().Directory.Entries == 2 })
	bustest.Eventually(t, "one is in the world", func() bool {
		player.Submit(s.Vouched(world, moved)) // again, for an Up may come in between
		return m.monitor.Stats().Directory.ByNode[world] == 1
	})
	return login, player
}

// Who has a world's credentials tries every stamp for an account that is in another
// world and for one that is at its login server. Nothing is answered, nobody loses his
// place, and a ban reaches the player.
func TestCredentials_AStolenWorldFindsNobodysStamp(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", patientManager()).mustLead(t)
	login, player := mustTake(t, s, m, "world.7")
	x := steal(t, s, "world.9")
	registration := bustest.TestRegistration(9, 5)
	payload, err := wire.EncodeRegistration(&registration)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.nats.Request(wire.WorldSubject(9, wire.SuffixRegister), payload, bustest.Patience); err != nil {
		t.Fatal(err)
	}
	before := m.monitor.Stats().Directory.Unvouched
	kinds := []worlds.AnnouncementKind{worlds.AnnounceMoved, worlds.AnnounceHeld}
	said := 0
	for _, account := range []string{"ALICE", "BOB", "NOBODY"} {
		for stamp := worlds.Stamp(5); stamp < 20; stamp++ {
			for _, hop := range []uint32{0, 1, 2, worlds.MaxHop, 1<<32 - 1} {
				a := worlds.Announcement{Account: bustest.MustName(t, account), Stamp: stamp, Hop: hop, Kind: kinds[said%2]}
				if hop == 2 {
					a.Voucher = worlds.Voucher{1, 2, 3}
				}
				said++
				x.announces(a)
			}
		}
	}
	refused := uint64(said / 5 * 4) // too many hops are refused before the voucher is looked at
	bustest.Eventually(t, "all is heard", func() bool { return m.monitor.Stats().Directory.Unvouched-before == refused })
	for account, want := range map[string]string{"ALICE": "login.eu1", "BOB": "", "NOBODY": ""} {
		if got := x.placeOf(account); got != want {
			t.Errorf("it is told that %s is at %q, want %q", account, got, want)
		}
	}
	login.Submit(worlds.Effect{End: &worlds.AccountEnd{Account: bustest.MustName(t, "BOB"), Why: "ban"}})
	bustest.Eventually(t, "the ban reaches the player", func() bool { return player.Count(bustest.IsEnd) == 1 })
	if n := x.told(); n != 0 {
		t.Errorf("it was told %d ends", n)
	}
}

// Under the rule that who is in a world stays, a world that is not registered would
// keep out whom it names. It is not heard, with a voucher of the region neither, and not
// answered.
func TestCredentials_AnUnregisteredWorldLocksNobodyOut(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	o := patientManager()
	o.SecondLogin = worlds.SecondLoginRefuse
	m := manage(s, "manager.a", o).mustLead(t)
	login, _ := mustTake(t, s, m, "world.7")
	x := steal(t, s, "world.9")
	before := m.monitor.Stats().Directory.Refused
	named := bustest.Announce("CARL", 5, worlds.AnnounceHeld)
	x.announces(*s.Vouched("world.9", named).Announce)
	x.asks("ALICE")
	bustest.Eventually(t, "it was refused", func() bool { return m.monitor.Stats().Directory.Refused >= before+2 })
	login.Submit(bustest.Announce("CARL", 20, worlds.AnnounceFresh))
	bustest.Eventually(t, "the player is in", func() bool { return m.monitor.Stats().Directory.Entries == 3 })
	if n, _, err := x.answer.Pending(); n != 0 || err != nil || login.Count(bustest.IsEnd) != 0 || x.told() != 0 {
		t.Errorf("it had %d answers and %d ends, the player %d: %v", n, x.told(), login.Count(bustest.IsEnd), err)
	}
}

// The voucher key goes to login servers only: an operator's list is without.
func TestCredentials_OnlyLoginServersGetTheVoucherKey(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{}).mustLead(t)
	if !s.Vouchers().Ready() {
		t.Fatal("a login server has none")
	}
	admin := s.Connect("admin.a")
	answer, err := request(admin, wire.SubjectSnapshot, []byte("{}"))
	if err != nil || strings.Contains(string(answer), "voucher") {
		t.Errorf("an operator is told %s, %v", answer, err)
	}
}

// Worlds are believed for what they were given before, whoever leads, and whatever was
// started anew meanwhile: manager, bus and all.
func TestCredentials_VouchersOutliveManagers(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	s.Options.Store = t.TempDir()
	s.Restart()
	m := manage(s, "manager.a", patientManager()).mustLead(t)
	_, player := mustTake(t, s, m, "world.7")
	m.end()
	s.Restart()
	again := manage(s, "manager.b", ManagerOptions{}).mustLead(t)
	moved := bustest.Announce("BOB", 11, worlds.AnnounceHeld)
	moved.Announce.Hop = 1
	bustest.Eventually(t, "its player is known again", func() bool {
		player.Submit(s.Vouched("world.7", moved)) // with the key of before
		return again.monitor.Stats().Directory.ByNode["world.7"] == 1
	})
}
