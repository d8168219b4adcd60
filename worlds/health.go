package worlds

// health is whether a world is alive, by the messages that the manager receives from
// it.
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
	// heard is the time of the world's last message.
	heard int64
	// left: the world has announced that it leaves. Beats after that are late ones.
	left bool
}

// lives records a registration.
func (h *health) lives(now int64) { *h = health{heard: now} }

// beats records a heartbeat and reports whether it shows the world online.
func (h *health) beats(b *Beat, now int64) (online bool) {
	h.heard = now
	h.left = h.left || b.Leaving
	return !h.left
}

// silent reports whether the world was silent for limit.
func (h *health) silent(now, limit int64) bool { return now-h.heard >= limit }

// excuse ignores a gap that ends now, in which the manager did not listen.
func (h *health) excuse(gap, now int64) { h.heard = min(now, h.heard+gap) }
