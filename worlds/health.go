package worlds

// health is whether a world is alive, by what the manager hears of it.
//
//	      registers, beats            registers, beats
//	new ───────────────────▶ online ◀─────────────────── offline
//	                           │   silent for the limit      ▲
//	                           ├─────────────────────────────┤
//	                           └──▶ left ─ silent ───────────┘
//	                      says so    (offline too, until it registers anew)
//
// Times are in milliseconds of the manager's clock.
type health struct {
	// heard is when the world was last heard.
	heard int64
	// left: it has said that it goes. Beats that come behind that are late ones.
	left bool
}

// lives notes a registration.
func (h *health) lives(now int64) { *h = health{heard: now} }

// beats notes a heartbeat, and tells whether the world is online by it.
func (h *health) beats(b *Beat, now int64) (online bool) {
	h.heard = now
	h.left = h.left || b.Leaving
	return !h.left
}

// silent tells whether nothing was heard for limit.
func (h *health) silent(now, limit int64) bool { return now-h.heard >= limit }

// excuse leaves a time up to now, in which the manager did not listen, out of the
// account.
func (h *health) excuse(gap, now int64) { h.heard = min(now, h.heard+gap) }
