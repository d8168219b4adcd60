package load

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	"gatepass/codec/grunt"
)

// watch is what the clients of a run look for in the lists they are sent: that a
// world, which they know by its name, has come or gone. Its changes are numbered:
// odd ones bring it online, even ones take it away.
type watch struct {
	// Static after newWatch.
	name   []byte // with the zero behind it
	rounds int    // how many changes there are going to be
	base   time.Time

	change atomic.Uint32 // the one under way; 0: none yet
	began  atomic.Int64  // when, in nanoseconds since base
	// pending says that it is awaited. The clients do not sleep then: over loopback
	// it is the sender who pays for waking them, which no player's machine makes it.
	pending atomic.Bool
}

func newWatch(name string, rounds int) *watch {
	return &watch{name: append([]byte(name), 0), rounds: rounds, base: time.Now()}
}

// begin numbers the change that is made next, and takes its time.
func (w *watch) begin() (change uint32) {
	w.pending.Store(true)
	w.began.Store(int64(time.Since(w.base)))
	return w.change.Add(1)
}

// shows tells whether the list, a whole message, shows the change. In every
// layout a realm's flags are the byte before its name.
func (w *watch) shows(list []byte, change uint32) bool {
	at := bytes.Index(list, w.name)
	online := at > 0 && list[at-1]&grunt.RealmOffline == 0
	return online == (change%2 == 1)
}

// sighting is a client that was shown a change.
type sighting struct {
	change uint32
	// after is the time since the change began.
	after time.Duration
}

// sight is the sighting of the change under way, if the list shows it and the
// client has not been shown it before.
func (w *watch) sight(list []byte, last uint32) (sighting, bool) {
	change := w.change.Load()
	if change == last || !w.shows(list, change) {
		return sighting{}, false
	}
	return sighting{change: change, after: time.Since(w.base) - time.Duration(w.began.Load())}, true
}

// spread is the times of one change, sorted.
func spread(seen []sighting, change uint32) []time.Duration {
	var times []time.Duration
	for _, s := range seen {
		if s.change == change {
			times = append(times, s.after)
		}
	}
	slices.Sort(times)
	return times
}

// quantile is the time within which that share of sorted times lies; 0 of none.
func quantile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[min(int(share*float64(len(times))), len(times)-1)]
}
