package server

import (
	"slices"
	"testing"

	"gatepass/codec"
)

// A broadcast is one entry of the send queue for any number of receivers, and one write for
// each receiver.
func TestSendQueue_Broadcast_IsQueuedOnceAndReachesAll(t *testing.T) {
	const reactors, clients = 3, 3_000
	r := newRig(t, func(o *Options) { o.Reactors = reactors })
	conns, handles := r.openMany(clients)
	for i := range reactors {
		if !slices.ContainsFunc(handles, func(h codec.Conn) bool { return h.Reactor() == i }) {
			t.Fatalf("reactor %d has none of %d connections", i, clients)
		}
	}
	before := r.settled()
	news := []byte("a world has changed")
	if !r.Queue().Broadcast(handles, news) || len(r.Queue().gathering) != 1 {
		t.Fatalf("%d entries were queued, want 1", len(r.Queue().gathering))
	}
	r.Queue().Flush()
	for _, c := range conns {
		says(t, c, news)
	}
	after := r.settled()
	if n := after.Writes - before.Writes; n != clients {
		t.Errorf("%d writes for %d connections", n, clients)
	}
	if n := after.Batches - before.Batches; n != reactors {
		t.Errorf("%d batches for %d reactors", n, reactors)
	}
	eventually(t, "nothing is queued any more", func() bool { return r.Stats().SendQueued == 0 })
	for _, h := range handles {
		r.Queue().Close(h, codec.CloseLogic)
	}
	r.Queue().Flush()
	for _, c := range conns {
		ends(t, c, nil) // each got it once
	}
}

// Reactors that never had a connection have no loop to send tasks to.
func TestSendQueue_Broadcast_BeforeEveryReactorHasShownItself(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Reactors = 8 })
	r.Queue().Broadcast([]codec.Conn{codec.NewConn(5, 0, 1)}, []byte("nobody"))
	r.Queue().SendFrame(0, []byte("the handle that names none"))
	r.Queue().Flush()
	eventually(t, "what is for nobody is not kept", func() bool { return r.Stats().SendQueued == 0 })
	client, handle := r.open()
	r.Queue().Broadcast([]codec.Conn{handle}, []byte("somebody"))
	r.Queue().Flush()
	says(t, client, []byte("somebody"))
	eventually(t, "nothing is queued any more", func() bool { return r.Stats().SendQueued == 0 })
}
