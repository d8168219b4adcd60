package server

import (
	"log/slog"
	"testing"

	"gatepass/codec"
)

// A client can make the kernel report events of a connection that was closed in the same
// round, as often as it likes. These events are therefore counted and not logged.
func TestServer_StaleEvents_AreCountedAndNotLogged(t *testing.T) {
	var log lockedBuffer
	var r *rig
	var victim codec.Conn
	r = newRig(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		o.Listeners[0].Protocol = func() Session {
			return &frames{onFrame: func(f []byte) error {
				if string(f) == "kill" {
					c := r.reactors[0].table.get(victim)
					return r.reactors[0].loop.Close(c.sock)
				}
				return nil
			}}
		}
	})
	first, _ := r.open()
	second, handle := r.open()
	r.onReactor(0, func(*reactor) {
		victim = handle
		// Both events wait in the kernel before the reactor polls again, the first
		// connection's event first.
		write(t, first, frame("kill"))
		write(t, second, frame("too late"))
	})
	gone(t, second)
	if n := r.settled().StaleEvents; n != 1 {
		t.Errorf("%d stale events counted, want 1", n)
	}
	if log.String() != "" {
		t.Errorf("logged:\n%s", log.String())
	}
	r.works()
}
