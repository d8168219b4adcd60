package e2e

import (
	"errors"
	"syscall"
	"testing"

	native "gatepass/client"
	pb "gatepass/codec/native/gatepasspb"
)

// TestNative_WorldsComeAndGo is what a native client sees of `make run`: worlds on a
// list that changes by itself, offline within the heartbeat limit once a gate is
// killed, online again once the line that was printed for it is run.
func TestNative_WorldsComeAndGo(t *testing.T) {
	t.Parallel()
	g, demos := startNative(t)
	g.addNative("ana", "secret")
	ana := mustSignIn(t, g.said["native"], "ana", "secret")
	for _, w := range demos {
		ana.sees("online", w.id, hasStatus(native.StatusOnline))
	}
	conn := ana.mustEnter(1)
	event(ana, "Entered", func(e native.Entered) bool { return e.World == 1 })
	must(t, conn.Send(7, []byte("anybody here?")))
	checkWorlds(t, g, demos[1], "online", "1/1000")

	must(t, syscall.Kill(demos[1].pid, syscall.SIGKILL))
	if err := connEnded(t, conn); !errors.Is(err, native.ErrLost) {
		t.Errorf("the connection to a dead world ended by %v", err)
	}
	if took := ana.sees("offline", 1, hasStatus(native.StatusOffline)); took > heartbeatLimit {
		t.Errorf("the world was offline after %v", took)
	}
	if w, _ := ana.Worlds().Get(2); w.Status != native.StatusOnline {
		t.Errorf("the other world is %v", w.Status)
	}
	_, err := ana.enter(1)
	if refused := (*native.SelectError)(nil); !errors.As(err, &refused) || len(refused.Alternatives) != 1 || refused.Alternatives[0] != 2 {
		t.Errorf("a world that is offline: %v", err)
	}
	runAgain(t, g, demos[1])
	t.Logf("online %v after it was started again", ana.sees("online", 1, hasStatus(native.StatusOnline)))
	ana.mustEnter(1)
}

// TestNative_SecondSignIn: whoever signs in anew takes the account out of wherever
// it is, at the list or in a world.
func TestNative_SecondSignIn(t *testing.T) {
	t.Parallel()
	g, demos := startNative(t, hasty...)
	g.addNative("ana", "secret")
	g.addNative("bea", "secret")
	bea := mustSignIn(t, g.said["native"], "bea", "secret").mustEnter(1)
	first := mustSignIn(t, g.said["native"], "ana", "secret")
	conn := first.mustEnter(1)
	checkWorlds(t, g, demos[1], "online", "2/1000")

	second := mustSignIn(t, g.said["native"], "ANA", "secret")
	first.mustEndBy(native.ErrReplaced)
	if err := connEnded(t, conn); !errors.Is(err, native.ErrReplaced) {
		t.Errorf("the player in the world was sent away by %v", err)
	}
	if _, err := conn.Receive(within20(t)); !errors.Is(err, native.ErrReplaced) {
		t.Errorf("Receive says %v", err)
	}
	again := second.mustEnter(2)
	// A client of the other protocol is the same account.
	old := &player{edition: vanilla, account: who{"ANA", "secret"}}
	t.Cleanup(old.leave)
	must(t, old.login(g.grunt))
	second.mustEndBy(native.ErrReplaced)
	if err := connEnded(t, again); !errors.Is(err, native.ErrReplaced) {
		t.Errorf("the player in the world was sent away by %v", err)
	}
	visit := old.mustKnock(t, demos[1].gate)
	must(t, visit.look())
	// And the other way round.
	third := mustSignIn(t, g.said["native"], "ana", "secret")
	must(t, visit.ended())
	must(t, third.mustEnter(1).Send(7, nil))
	select {
	case <-bea.Done():
		t.Errorf("somebody else's connection has ended: %v", bea.Err())
	default:
	}
	checkWorlds(t, g, demos[1], "online", "2/1000")
	g.healthy()
}

// TestNative_Queue: who comes to a full world is told its place at the gate and by
// the login server, and is in when its turn comes.
func TestNative_Queue(t *testing.T) {
	t.Parallel()
	g, demos := startNative(t, append(hasty, "GATEPASS_GATEWAY__CAPACITY=1")...)
	var all []*nativeSession
	for _, name := range []string{"ana", "bea", "cora"} {
		g.addNative(name, "secret")
		all = append(all, mustSignIn(t, g.said["native"], name, "secret"))
	}
	inside := all[0].mustEnter(1)
	type entry struct {
		conn *native.Conn
		err  error
	}
	entries := make([]chan entry, 3)
	for i, s := range all[1:] {
		entries[i+1] = make(chan entry, 1)
		go func() {
			conn, err := s.enter(1)
			entries[i+1] <- entry{conn, err}
		}()
		event(s, "place in the queue", func(e native.QueuePosition) bool { return e.World == 1 && e.Position == i+1 })
	}
	all[0].sees("full, with a queue", 1, func(w native.World) bool { return w.Full && w.Queue == 2 })
	must(t, inside.Close())
	for i, s := range all[1:] {
		event(s, "Entered", func(e native.Entered) bool { return e.World == 1 })
		got := <-entries[i+1]
		must(t, got.err)
		if i == 0 {
			event(all[2], "move up", func(e native.QueuePosition) bool { return e.Position == 1 })
			must(t, got.conn.Close())
		}
	}
	checkWorlds(t, g, demos[1], "online", "1/1")
	all[0].sees("full, without a queue", 1, func(w native.World) bool { return w.Full && w.Queue == 0 })
}

// TestNative_QueueOnTheLoginConnection: the login server tells the place too, for a
// client that shows it there.
func TestNative_QueueOnTheLoginConnection(t *testing.T) {
	t.Parallel()
	g, _ := startNative(t, append(hasty, "GATEPASS_GATEWAY__CAPACITY=1")...)
	g.addNative("ana", "secret")
	g.addNative("bea", "secret")
	inside := mustSignIn(t, g.said["native"], "ana", "secret").mustEnter(1)
	bea := wireSignIn(t, g.said["native"], who{"BEA", "secret"})
	gate := bea.mustKnock(1)
	gate.untilGate("place", func(f *pb.GateServerFrame) bool { return f.GetQueuePosition().GetPosition() == 1 })
	bea.until("place", func(f *pb.ServerFrame) bool { return f.GetQueuePosition().GetPosition() == 1 })
	must(t, inside.Close())
	gate.untilGate("entry", func(f *pb.GateServerFrame) bool { return f.GetEntered().GetWorld() == 1 })
	bea.until("entry", func(f *pb.ServerFrame) bool { return f.GetEntered().GetWorld() == 1 })
}
