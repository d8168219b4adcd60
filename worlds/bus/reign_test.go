package bus

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
)

// Whoever asks names where the answer is to go, and the manager may write where
// the asker may not. So it answers in inboxes only.
func TestReign_AnswersNowhereButInInboxes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 30 * time.Second}).mustLead(t)
	login, admin, world := s.connect("login.eu1"), s.connect("admin.a"), s.connect("world.7")
	targets := []string{
		"$KV.gatepass_worlds.7", "$KV.gatepass_lease.leader", "gatepass.worlds.change", "gatepass.worlds.pulse",
		"gatepass.place.world.7", "gatepass.end.login.eu1", "_INBOX.manager.a.x", "_INBOX.world.8.x", "_INBOX",
		"_INBOX.loginx.eu1", "$JS.API.STREAM.INFO.KV_gatepass_worlds",
	}
	asked := uint64(0)
	ask := func(c *Conn, subject, reply string) {
		asked++
		if err := c.nats.PublishRequest(subject, reply, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	for _, reply := range targets {
		ask(login, subjectSnapshot, reply)
		ask(admin, subjectSnapshot, reply)
		ask(admin, subjectLogins, reply)
		ask(admin, subjectReset, reply)
		ask(world, worldSubject(7, suffixRegister), reply)
		ask(world, worldSubject(7, suffixBeat), reply)
	}
	ask(admin, subjectLogins, "_INBOX.login.eu1.x")
	ask(world, worldSubject(7, suffixBeat), "_INBOX.admin.a.x")
	eventually(t, "none of it is taken", func() bool { return m.conn.Stats().Malformed == asked })
	if list, err := admin.Worlds(context.Background()); err != nil || list.Version.Seq != 0 {
		t.Errorf("the region is not as it was: %+v, %v", list, err)
	}
	table := s.table(m)
	if ids, err := table.ids(context.Background()); err != nil || len(ids) != 0 {
		t.Errorf("the bucket has %v, %v", ids, err)
	}
	if m.monitor.Stats().Terms != 1 {
		t.Error("the lease was lost")
	}
}

func (s *stage) table(m *testManager) *table {
	s.tb.Helper()
	js, err := jetstream.New(m.conn.nats)
	if err != nil {
		s.tb.Fatal(err)
	}
	all, err := openTable(context.Background(), js)
	if err != nil {
		s.tb.Fatal(err)
	}
	return all
}

// One spoilt key must not keep a region without a manager; one of a newer version
// must, for its world would vanish.
func TestTable_LeavesOutWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{}).mustLead(t)
	table, ctx := s.table(m), context.Background()
	good, err := json.Marshal(worlds.Record{Registration: testRegistration(9, 90)})
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"7": `{"epoch":"1","worlds":[]}`, "8": "", "9": string(good), "10": string(good)} {
		if _, err := table.kv.Put(ctx, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := table.load(ctx, testLog(t))
	if err != nil || len(all) != 1 || all[0].ID != 9 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := table.kv.Put(ctx, "11", []byte(`{"format":2,"id":11}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := table.load(ctx, testLog(t)); err == nil || !strings.Contains(err.Error(), "world 11: worlds: stored world: format 2") {
		t.Errorf("a newer format: %v", err)
	}
}
