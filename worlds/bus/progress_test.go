package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// progress is news of n passes for a login server.
func progress(to worlds.Node, n int) []worlds.Effect {
	all := make([]worlds.Effect, n)
	for i := range all {
		all[i] = worlds.Effect{To: to, Progress: &worlds.Progress{Pass: worlds.PassID{byte(i >> 8), byte(i)}, Position: uint32(i)}}
	}
	return all
}

func TestProgress_ReachesItsLoginServerInOrder(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	one, two, world := s.Correspond("login.eu1", 1), s.Correspond("login.eu2", 2), s.Correspond("world.7", 3)
	const n = 2*wire.ProgressBatch + 1
	mine, others := progress("login.eu1", n), progress("login.eu2", 5)
	mine[1].Progress.Ended = "second login"
	before := world.Conn.Stats().Sent
	world.Submit(append(append(mine[:7:7], others...), mine[7:]...)...)
	bustest.Eventually(t, "all of it", func() bool { return one.Count(bustest.IsProgress) == n && two.Count(bustest.IsProgress) == 5 })
	at := 0
	for _, e := range one.Events() {
		if e.Progress == nil {
			continue
		}
		if e.From != "world.7" || *e.Progress != *mine[at].Progress {
			t.Fatalf("%d: from %s: %+v", at, e.From, e.Progress)
		}
		at++
	}
	if sent := world.Conn.Stats().Sent - before; sent > 5 { // four, and perhaps a hello
		t.Errorf("it took %d messages", sent)
	}
}

func TestProgress_IsDroppedWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	world := s.Correspond("world.7", 3)
	waiting := world.Node.Take(progress("login.eu1", bus.MaxWaitingProgress+3))
	if dropped := world.Conn.Stats().Dropped; dropped != 3 || waiting != bus.MaxWaitingProgress {
		t.Errorf("%d dropped, %d wait", dropped, waiting)
	}
}

func TestOrder_ReachesEveryLoginServer(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	one, two, world := s.Correspond("login.eu1", 1), s.Correspond("login.eu2", 2), s.Correspond("world.7", 3)
	admin, yes := s.Connect("admin.a"), true
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	for _, o := range []worlds.Order{{Notice: "The realm closes in 5 minutes."}, {Maintenance: &yes}} {
		if err := admin.Order(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, login := range []*bustest.Correspondent{one, two} {
		bustest.Eventually(t, "both orders", func() bool { return login.Count(bustest.IsOrder) == 2 })
		if o := login.Find(bustest.IsOrder).Order; o.Notice != "" || o.Maintenance == nil || !*o.Maintenance {
			t.Errorf("%+v", o)
		}
	}
	if world.Count(bustest.IsOrder) != 0 {
		t.Error("a world hears orders")
	}
}

func TestOrder_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	admin, login := s.Connect("admin.a"), s.Connect("login.eu2")
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	notice := worlds.Order{Notice: "hello"}
	if err := admin.Order(ctx, notice); !errors.Is(err, bus.ErrNobodyHears) {
		t.Errorf("where nobody is: %v", err)
	}
	if err := login.Order(ctx, notice); !errors.Is(err, bus.ErrMayNotOrder) {
		t.Errorf("of a login server: %v", err)
	}
	if err := admin.Order(ctx, worlds.Order{Notice: "two\nlines"}); err == nil || !strings.Contains(err.Error(), "notice: ") {
		t.Errorf("of two lines: %v", err)
	}
	if err := admin.Order(ctx, worlds.Order{}); err == nil {
		t.Error("nothing was ordered")
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := admin.Order(gone, notice); !errors.Is(err, context.Canceled) {
		t.Errorf("after the time was over: %v", err)
	}
}
