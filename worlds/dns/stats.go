package dns

import "gatepass/counters"

// Counts are a server's counters since it was made. All its goroutines add to them. To count
// something new, add a field.
type Counts struct {
	UDP counters.Counter `metric:"dns_questions_total,transport=udp" help:"Packets read, by transport."`
	TCP counters.Counter `metric:"dns_questions_total,transport=tcp" help:"Packets read, by transport."`
	// Outcomes count the questions that the limiter did not drop.
	Outcomes outcomeCounts `metric:"dns_answers_total,outcome" help:"What became of them."`
	// Truncated includes the answers that the limiter truncates.
	Truncated      counters.Counter `metric:"dns_truncated_total" help:"Answers that told the client to come over TCP."`
	LimitedDropped counters.Counter `metric:"dns_limited_total,how=dropped" help:"Questions beyond the rate limit."`
	// LimitedSlipped counts questions that are answered empty and truncated.
	LimitedSlipped counters.Counter `metric:"dns_limited_total,how=slipped" help:"Questions beyond the rate limit."`
	ConnsRefused   counters.Counter `metric:"dns_connections_refused_total" help:"TCP connections for which there was no room."`
	// Errors includes failed reads.
	Errors       counters.Counter `metric:"dns_errors_total" help:"Answers that could not be sent."`
	Panics       counters.Counter `metric:"dns_panics_total" help:"Panics that cost an answer."`
	Beats        counters.Counter `metric:"dns_beats_total" help:"Heartbeats of login servers taken."`
	BeatsRefused counters.Counter `metric:"dns_beats_refused_total" help:"Heartbeats that made no sense."`
}

// outcomeCounts are indexed by Outcome.
type outcomeCounts [OutcomeCount]counters.Counter

func (outcomeCounts) Label(i int) string { return Outcome(i).String() }

// Stats are a server's counters since it was made, and its present state.
type Stats struct {
	Counts

	Conns int `metric:"dns_connections" help:"Open TCP connections."`
	// Known counts the servers heard since the start, except those removed because the table
	// was full.
	Known    int `metric:"dns_logins_known" help:"Login servers heard of."`
	Healthy  int `metric:"dns_logins_healthy" help:"Login servers that clients are sent to."`
	Draining int `metric:"dns_logins_draining" help:"Login servers that drain."`
}

func (c *Counts) replied(r *reply) {
	c.Outcomes[r.outcome].Add(1)
	if r.truncated {
		c.Truncated.Add(1)
	}
}

// Stats returns the counters and the state. Any goroutine, also after Close.
func (s *Server) Stats() Stats {
	st := Stats{Conns: s.conns.count()}
	counters.Sum(&st.Counts, &s.count)
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
