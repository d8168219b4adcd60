package engine

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/grunt"
	pb "gatepass/codec/native/gatepasspb"
)

// Watch finds a world's changes of state in the lists that held clients receive. The
// changes are numbered: odd ones set the world online, even ones offline.
type Watch struct {
	// Static after newWatch.
	name   []byte // of the world, with a zero byte at the end
	rounds int    // number of changes in the run
	base   time.Time

	change atomic.Uint32 // the latest change; 0: none yet
	began  atomic.Int64  // its time, in nanoseconds since base
	// pending says that clients wait for the change. They do not sleep then: over loopback
	// the sender pays for waking them, which the machine of a real player would not cost
	// it.
	pending atomic.Bool
}

// NewWatch returns a watch for the world's first rounds changes.
func NewWatch(name string, rounds int) *Watch {
	return &Watch{name: append([]byte(name), 0), rounds: rounds, base: time.Now()}
}

// Begin notes the time at which the next change begins and returns its number. Clients
// do not sleep until stop.
func (w *Watch) Begin() (change uint32) {
	w.pending.Store(true)
	w.began.Store(int64(time.Since(w.base)))
	return w.change.Add(1)
}

// Stop lets clients sleep again.
func (w *Watch) Stop() { w.pending.Store(false) }

// awaited reports whether the latest change is another one than last.
func (w *Watch) awaited(last uint32) bool { return w.change.Load() != last }

// online reports whether the world is online in a realm list, which is a whole message.
// In every layout the byte before a realm's name has its flags.
func (w *Watch) online(list []byte) bool {
	at := bytes.Index(list, w.name)
	return at > 0 && list[at-1]&grunt.RealmOffline == 0
}

// readNative reports whether a native message is about the world, and whether the world is
// online in it.
func (w *Watch) readNative(body []byte) (online, about bool) {
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

// Sighting says that a client has received a change.
type Sighting struct {
	change uint32
	// after is the time since the change began.
	after time.Duration
}

// sight returns the sighting of the latest change. It returns false if the world's state
// is not that of the change, or if the client received the change before (last).
func (w *Watch) sight(online bool, last uint32) (Sighting, bool) {
	change := w.change.Load()
	if change == last || online != (change%2 == 1) {
		return Sighting{}, false
	}
	return Sighting{change: change, after: time.Since(w.base) - time.Duration(w.began.Load())}, true
}

// Spread returns the sorted times of one change.
func Spread(seen []Sighting, change uint32) []time.Duration {
	var times []time.Duration
	for _, s := range seen {
		if s.change == change {
			times = append(times, s.after)
		}
	}
	slices.Sort(times)
	return times
}

// Quantile returns the time at that share of sorted times; 0 if there are none.
func Quantile(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[min(int(share*float64(len(times))), len(times)-1)]
}
