package server

import (
	"testing"

	"gatepass/codec"
)

// Handles of other reactors wake no reactor.
func TestTurnBox_GivesWritableToItsReactorOnly(t *testing.T) {
	var b turnBox
	own, other := codec.NewConn(0, 1, 1), codec.NewConn(1, 1, 1)
	if b.giveWritable([]codec.Conn{other}, 0) || len(b.writable) != 0 {
		t.Errorf("a task for %v", b.writable)
	}
	if !b.giveWritable([]codec.Conn{other, own}, 0) || len(b.writable) != 1 {
		t.Errorf("no task for %v", b.writable)
	}
	if b.giveWritable([]codec.Conn{own}, 0) || len(b.writable) != 2 {
		t.Error("a second task before the first is taken")
	}
}
