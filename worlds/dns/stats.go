package dns

import "sync/atomic"

// Stats counts what a server did since it was made.
type Stats struct {
	// UDP and TCP count packets that were read.
	UDP, TCP uint64
	// Outcomes counts them by Outcome. Those that the limiter dropped have none.
	Outcomes [OutcomeCount]uint64
	// Truncated counts replies that told the client to come over TCP, those of
	// the limiter among them.
	Truncated uint64
	// LimitedDropped and LimitedSlipped count what was beyond the rate limit:
	// not answered, and answered empty and truncated.
	LimitedDropped, LimitedSlipped uint64
	// Conns is how many TCP connections are open, ConnsRefused how many found no
	// room.
	Conns        int
	ConnsRefused uint64
	// Errors counts replies that could not be sent and reads that failed, Panics
	// faults of ours that cost a reply.
	Errors, Panics uint64
	// Beats counts heartbeats taken, BeatsRefused those that made no sense.
	Beats, BeatsRefused uint64
	// Known is how many login servers were ever heard, and not forgotten for want
	// of room; Draining how many of them say so; Healthy how many are named.
	Known, Draining, Healthy int
}

// counters are added to by all goroutines of a server.
type counters struct {
	udp, tcp                       atomic.Uint64
	outcomes                       [OutcomeCount]atomic.Uint64
	truncated                      atomic.Uint64
	limitedDropped, limitedSlipped atomic.Uint64
	connsRefused                   atomic.Uint64
	errors, panics                 atomic.Uint64
	beats, beatsRefused            atomic.Uint64
}

func (c *counters) replied(r *reply) {
	c.outcomes[r.outcome].Add(1)
	if r.truncated {
		c.truncated.Add(1)
	}
}

// Stats reads the counters. Any goroutine, also after Close.
func (s *Server) Stats() Stats {
	c := &s.count
	st := Stats{
		UDP: c.udp.Load(), TCP: c.tcp.Load(), Truncated: c.truncated.Load(),
		LimitedDropped: c.limitedDropped.Load(), LimitedSlipped: c.limitedSlipped.Load(),
		Conns: s.conns.count(), ConnsRefused: c.connsRefused.Load(),
		Errors: c.errors.Load(), Panics: c.panics.Load(),
		Beats: c.beats.Load(), BeatsRefused: c.beatsRefused.Load(),
	}
	for i := range c.outcomes {
		st.Outcomes[i] = c.outcomes[i].Load()
	}
	logins, now := s.logins(), s.options.Clock()
	st.Known = len(logins)
	for i := range logins {
		if logins[i].draining {
			st.Draining++
		}
		if s.zone.healthy(&logins[i], now) {
			st.Healthy++
		}
	}
	return st
}
