package bus

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gatepass/worlds"
)

func isProgress(e *worlds.Event) bool { return e.Progress != nil }
func isOrder(e *worlds.Event) bool    { return e.Order != nil }

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
	s := newStage(t)
	one, two, world := s.correspond("login.eu1", 1), s.correspond("login.eu2", 2), s.correspond("world.7", 3)
	const n = 2*progressBatch + 1
	mine, others := progress("login.eu1", n), progress("login.eu2", 5)
	mine[1].Progress.Ended = "second login"
	before := world.conn.Stats().Sent
	world.submit(append(append(mine[:7:7], others...), mine[7:]...)...)
	eventually(t, "all of it", func() bool { return one.count(isProgress) == n && two.count(isProgress) == 5 })
	one.mu.Lock()
	defer one.mu.Unlock()
	at := 0
	for _, e := range one.events {
		if e.Progress == nil {
			continue
		}
		if e.From != "world.7" || *e.Progress != *mine[at].Progress {
			t.Fatalf("%d: from %s: %+v", at, e.From, e.Progress)
		}
		at++
	}
	if sent := world.conn.Stats().Sent - before; sent > 5 { // four, and perhaps a hello
		t.Errorf("it took %d messages", sent)
	}
}

func TestProgress_IsDroppedWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	world := s.correspond("world.7", 3)
	world.node.mu.Lock()
	for _, e := range progress("login.eu1", maxWaitingProgress+3) {
		world.node.takeLocked(&e)
	}
	waiting := len(world.node.progress)
	world.node.mu.Unlock()
	if dropped := world.conn.Stats().Dropped; dropped != 3 || waiting != maxWaitingProgress {
		t.Errorf("%d dropped, %d wait", dropped, waiting)
	}
}

func TestOrder_ReachesEveryLoginServer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	one, two, world := s.correspond("login.eu1", 1), s.correspond("login.eu2", 2), s.correspond("world.7", 3)
	admin, yes := s.connect("admin.a"), true
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, o := range []worlds.Order{{Notice: "The realm closes in 5 minutes."}, {Maintenance: &yes}} {
		if err := admin.Order(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	for _, login := range []*correspondent{one, two} {
		eventually(t, "both orders", func() bool { return login.count(isOrder) == 2 })
		if o := login.find(isOrder).Order; o.Notice != "" || o.Maintenance == nil || !*o.Maintenance {
			t.Errorf("%+v", o)
		}
	}
	if world.count(isOrder) != 0 {
		t.Error("a world hears orders")
	}
}

func TestOrder_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	admin, login := s.connect("admin.a"), s.connect("login.eu2")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	notice := worlds.Order{Notice: "hello"}
	if err := admin.Order(ctx, notice); !errors.Is(err, ErrNobodyHears) {
		t.Errorf("where nobody is: %v", err)
	}
	if err := login.Order(ctx, notice); !errors.Is(err, ErrMayNotOrder) {
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
