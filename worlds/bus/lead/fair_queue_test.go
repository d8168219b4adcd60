package lead

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

func TestTurns_FloodTakesNobodysRoomOrTurn(t *testing.T) {
	t.Parallel()
	q := newFairQueue()
	taken := 0
	for i := range 2 * queueRoom {
		if q.put("world.9", &nats.Msg{Subject: fmt.Sprint(i)}) {
			taken++
		}
	}
	if taken != shareRoom {
		t.Errorf("%d of one sender wait, want %d", taken, shareRoom)
	}
	for _, subject := range []string{"a", "b"} {
		if !q.put("world.7", &nats.Msg{Subject: subject}) {
			t.Error("there is no room for another")
		}
	}
	var got []string
	for range 5 {
		<-q.ready
		got = append(got, q.next().Subject)
	}
	if want := []string{"0", "a", "1", "b", "2"}; !slices.Equal(got, want) {
		t.Errorf("taken %q, want %q", got, want)
	}
	for range shareRoom - 3 {
		<-q.ready
		q.next()
	}
	if q.next() != nil || len(q.ready) != 0 || !q.put("world.9", &nats.Msg{}) {
		t.Error("it is not empty")
	}
}

func TestTurns_AreBoundedInBytesAndSenders(t *testing.T) {
	t.Parallel()
	q := newFairQueue()
	large := &nats.Msg{Data: make([]byte, wire.MaxPayload)}
	taken := 0
	for range 2 * shareBytes / wire.MaxPayload {
		if q.put("login.eu1", large) {
			taken++
		}
	}
	if taken != shareBytes/wire.MaxPayload {
		t.Errorf("%d MiB of one sender wait", taken)
	}
	for i := range 2 * maxSenders {
		q.put(worlds.LoginNode(fmt.Sprint(i)), &nats.Msg{})
	}
	if n := len(q.senders); n != maxSenders {
		t.Errorf("%d senders", n)
	}
}
