package load

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/grunt"
	pb "gatepass/codec/native/gatepasspb"
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

// awaited tells whether a change is under way that is not the last that somebody was
// shown.
func (w *watch) awaited(last uint32) bool { return w.change.Load() != last }

// online tells whether the list, a whole message, has the world online. In every
// layout a realm's flags are the byte before its name.
func (w *watch) online(list []byte) bool {
	at := bytes.Index(list, w.name)
	return at > 0 && list[at-1]&grunt.RealmOffline == 0
}

// read is what a native message says of the world: whether it is online, if it is about
// it at all.
func (w *watch) read(body []byte) (online, about bool) {
	name := w.name[:len(w.name)-1]
	var m pb.ServerFrame
	if !bytes.Contains(body, name) || proto.Unmarshal(body, &m) != nil {
		return false, false
	}
	for _, world := range append(m.GetWorldSnapshot().GetWorlds(), m.GetWorldDelta().GetChanged()...) {
		if world.Name == string(name) {
			return world.Status != pb.World_STATUS_OFFLINE, true
		}
	}
	return false, false
}

// sighting is a client that was shown a change.
type sighting struct {
	change uint32
	// after is the time since the change began.
	after time.Duration
}

// sight is the sighting of the change under way, if that is what the world's state
// shows and the client has not been shown it before.
func (w *watch) sight(online bool, last uint32) (sighting, bool) {
	change := w.change.Load()
	if change == last || online != (change%2 == 1) {
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
