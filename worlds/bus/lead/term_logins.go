package lead

import (
	"slices"
	"strings"
	"time"

	"gatepass/worlds"
)

// twinsToldEvery is the least time between two log lines about login servers with the same
// name.
const twinsToldEvery = time.Minute

// hearLogin handles a login server's heartbeat.
func (r *term) hearLogin(b worlds.LoginBeat) {
	now := r.now()
	if !r.logins.hear(b, now) {
		return
	}
	r.options.Monitor.twins.Add(1)
	if r.twins.Due(time.Duration(now)*time.Millisecond, twinsToldEvery) {
		r.options.Logger.Error("bus: two login servers have the same name and take each other's keys; give each its own name",
			"login", string(b.Node), "address", b.Address)
	}
}

// logins holds the last heartbeat of each login server.
type logins struct{ heard map[worlds.Node]heardLogin }

type heardLogin struct {
	beat worlds.LoginBeat
	at   int64
	// before is the incarnation that the node had before that of beat.
	before uint64
}

// maxLogins bounds the login servers that are remembered.
const maxLogins = 1024

// hear notes a heartbeat. It reports a twin if the incarnation before the last one sends
// again: then two processes have the same name, because a restart would have ended the
// first.
func (l *logins) hear(b worlds.LoginBeat, now int64) (twin bool) {
	h, known := l.heard[b.Node]
	if !known && len(l.heard) >= maxLogins {
		return false
	}
	if known && b.Incarnation != h.beat.Incarnation {
		twin = b.Incarnation == h.before && b.Incarnation != 0
		h.before = h.beat.Incarnation
	}
	h.beat, h.at = b, now
	l.heard[b.Node] = h
	return twin
}

// silent removes and returns the login servers that were not heard since.
func (l *logins) silent(since int64) (gone []worlds.Node) {
	for node, h := range l.heard {
		if h.at < since {
			gone = append(gone, node)
			delete(l.heard, node)
		}
	}
	return gone
}

// all returns the last heartbeats, sorted by name.
func (l *logins) all() []worlds.LoginBeat {
	all := make([]worlds.LoginBeat, 0, len(l.heard))
	for _, h := range l.heard {
		all = append(all, h.beat)
	}
	slices.SortFunc(all, func(a, b worlds.LoginBeat) int { return strings.Compare(string(a.Node), string(b.Node)) })
	return all
}
