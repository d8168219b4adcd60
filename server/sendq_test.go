package server

import (
	"testing"

	"gatepass/codec"
)

// The queue counts an entry from when it is gathered until a reactor takes it. When full, it
// refuses replies but still accepts the closes that have to follow.
func TestSendQueue_Send_RefusedWhenFullUntilTheReactorsTook(t *testing.T) {
	const room = 8
	r := newRig(t, func(o *Options) { o.SendQueue = room })
	client, handle := r.open()
	resume := r.pause(0)
	defer resume()
	q := r.Queue()
	for i := range uint32(room) {
		if !q.Send(handle, numbered(i)) {
			t.Fatalf("no room for reply %d of %d", i, room)
		}
		if i == room/2 {
			q.Flush() // Flush makes no room
		}
	}
	q.Flush()
	full := map[string]bool{
		"Send":      q.Send(handle, numbered(99)),
		"SendLast":  q.SendLast(handle, numbered(99)),
		"SendFrame": q.SendFrame(handle, numberedBytes(99)),
		"Broadcast": q.Broadcast([]codec.Conn{handle}, numberedBytes(99)),
	}
	for name, took := range full {
		if took {
			t.Errorf("%s took a reply over the bound", name)
		}
	}
	if st := r.Stats(); st.SendRefused != uint64(len(full)) || st.SendQueued != room {
		t.Errorf("%d refused, %d queued, want %d and %d", st.SendRefused, st.SendQueued, len(full), room)
	}
	if !q.Close(handle, codec.CloseOverload) {
		t.Error("no room for the close that is owed")
	}
	q.Flush()
	resume()
	var want []byte
	for i := range uint32(room) {
		want = append(want, numberedBytes(i)...)
	}
	ends(t, client, want)
	r.closedFor(handle, codec.CloseOverload)
	eventually(t, "there is room again", func() bool { return r.Stats().SendQueued == 0 })
	r.works()
}

// The room for closes is bounded too.
func TestSendQueue_Close_RefusedBeyondItsReserve(t *testing.T) {
	r := newRig(t, func(o *Options) { o.SendQueue = 1 })
	_, handle := r.open()
	resume := r.pause(0)
	defer resume()
	q := r.Queue()
	took := 0
	for q.Close(handle, codec.CloseLogic) {
		took++
	}
	if took != 1+closeReserve {
		t.Errorf("room for %d closes, want %d", took, 1+closeReserve)
	}
	q.Flush()
	resume()
	r.closedFor(handle, codec.CloseLogic)
	eventually(t, "there is room again", func() bool { return q.Close(handle, codec.CloseLogic) })
	q.Flush()
}

// Every entry is subtracted from the queue's count again, whatever happens to it.
func TestSendQueue_Flush_EveryEntryIsAccountedFor(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Reactors = 3 })
	clients, handles := r.openMany(30)
	for i, c := range clients {
		if i%2 == 0 {
			_ = c.Close()
		}
	}
	for i := range uint32(500) {
		r.Queue().Broadcast(handles, numberedBytes(i))
		for _, h := range handles {
			r.Queue().Send(h, numbered(i))
		}
		r.Queue().Flush()
	}
	for i, c := range clients {
		if i%2 == 1 {
			for n := range uint32(500) {
				says(t, c, append(numberedBytes(n), numberedBytes(n)...))
			}
		}
	}
	eventually(t, "nothing is queued any more", func() bool { return r.Stats().SendQueued == 0 })
}
