package lead

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
)

// A leader that was overtaken while it stood still writes nothing any more, also what
// nobody else has touched.
func TestTable_RefusesAnOlderLeader(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := &testManager{conn: s.Connect("manager.a")}
	old, later, ctx := tableOf(s, m), tableOf(s, m), context.Background()
	record := func(id uint8, incarnation uint64) *worlds.Write {
		r := bustest.TestRegistration(id, incarnation)
		return &worlds.Write{World: id, Record: &worlds.Record{Registration: r}}
	}
	if err := errors.Join(old.fence(ctx, 10), old.store(ctx, record(7, 70))); err != nil {
		t.Fatal(err)
	}
	if err := later.fence(ctx, 20); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*worlds.Write{record(8, 80), record(7, 71), {Reset: true}} {
		if err := old.store(ctx, w); !errors.Is(err, errFenced) {
			t.Errorf("it has written: %v", err)
		}
	}
	if err := old.fence(ctx, 10); !errors.Is(err, errFenced) {
		t.Errorf("it has taken the table back: %v", err)
	}
	all, err := later.load(ctx, bustest.Log(t))
	if err != nil || len(all) != 1 || all[0].Incarnation != 70 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := errors.Join(later.store(ctx, record(7, 72)), later.store(ctx, &worlds.Write{Reset: true})); err != nil {
		t.Error(err)
	}
}

// A write whose answer was lost is made again, and so is one that met another's of an
// earlier version, which knows of no fence.
func TestTable_GoesOnAfterALostAnswer(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := &testManager{conn: s.Connect("manager.a")}
	table, ctx := tableOf(s, m), context.Background()
	if err := table.fence(ctx, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := table.kv.Put(ctx, "9", []byte("{}")); err != nil { // without the table's knowledge
		t.Fatal(err)
	}
	w := &worlds.Write{World: 7, Record: &worlds.Record{Registration: bustest.TestRegistration(7, 70)}}
	if err := table.store(ctx, w); err == nil || errors.Is(err, errFenced) {
		t.Errorf("the first time: %v", err)
	}
	if err := table.store(ctx, w); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if ids, err := table.ids(ctx); err != nil || !slices.Contains(ids, 7) {
		t.Errorf("%v, %v", ids, err)
	}
}

func tableOf(s *bustest.Stage, m *testManager) *table {
	s.TB.Helper()
	js, err := jetstream.New(m.conn.Client())
	if err != nil {
		s.TB.Fatal(err)
	}
	all, err := openTable(context.Background(), js)
	if err != nil {
		s.TB.Fatal(err)
	}
	return all
}

// One spoilt key must not keep a region without a manager; one of a newer version
// must, for its world would vanish.
func TestTable_LeavesOutWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{}).mustLead(t)
	table, ctx := tableOf(s, m), context.Background()
	good, err := json.Marshal(worlds.Record{Registration: bustest.TestRegistration(9, 90)})
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"7": `{"epoch":"1","worlds":[]}`, "8": "", "9": string(good), "10": string(good)} {
		if _, err := table.kv.Put(ctx, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := table.load(ctx, bustest.Log(t))
	if err != nil || len(all) != 1 || all[0].ID != 9 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := table.kv.Put(ctx, "11", []byte(`{"format":2,"id":11}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := table.load(ctx, bustest.Log(t)); err == nil || !strings.Contains(err.Error(), "world 11: worlds: stored world: format 2") {
		t.Errorf("a newer format: %v", err)
	}
}
