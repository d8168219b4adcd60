package roles

import (
	"github.com/prometheus/client_golang/prometheus"

	"gatepass/cmd/gatepass/internal/process"
	"gatepass/counters"
	"gatepass/worlds"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/lead"
	"gatepass/worlds/dns"
	"gatepass/worlds/gate"
)

// busServerCollector has the metrics of an embedded bus.
type busServerCollector struct{ server *busserver.Server }

// Describe sends nothing: Collect makes the metrics anew each time.
func (busServerCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters. Any goroutine.
func (c busServerCollector) Collect(out chan<- prometheus.Metric) {
	m, st := process.NewMetrics(out), c.server.Store()
	m.Flag("bus_store_failing", "1 while the store of the embedded bus takes no writes.", !st.FailingSince.IsZero())
	m.Counter("bus_store_faults_total", "How often the store of the embedded bus stopped taking writes.", st.Faults)
	m.Counter("bus_store_restarts_total", "How often the NATS server of the embedded bus was replaced to mend the store.", st.Restarts)
	m.Counter("bus_strangers_cut_total", "Connections cut because they did not prove in time who they are, where there were many.", c.server.Strangers())
}

// managerCollector has the metrics of a world manager.
type managerCollector struct{ monitor *lead.Monitor }

// Describe sends nothing: Collect makes the metrics anew each time.
func (managerCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters. Any goroutine.
func (c managerCollector) Collect(out chan<- prometheus.Metric) {
	m, st := process.NewMetrics(out), c.monitor.Stats()
	m.Flag("manager_leads", "1 while this manager leads; what follows is 0 where it does not.", st.Leads)
	m.Counter("manager_terms_total", "How often it began to lead.", st.Terms)
	m.Counter("manager_stores_total", "Changes of the table stored durably.", st.Stores)
	m.Counter("manager_store_failures_total", "Attempts to store the list of worlds or the lease that failed.", st.StoreFailures)
	m.Labelled("manager_worlds", "Worlds, by state.", prometheus.GaugeValue, float64(st.Worlds.Online), "state", "online")
	m.Labelled("manager_worlds", "Worlds, by state.", prometheus.GaugeValue, float64(st.Worlds.Offline), "state", "offline")
	m.Counter("manager_registrations_refused_total", "Registrations refused.", st.Worlds.Refused)
	m.Counter("manager_bad_beats_total", "Heartbeats whose figures cannot be.", st.Worlds.BadBeats)
	m.Count("manager_twins_total", "Processes that came by the name of another that is there, by kind.", st.Worlds.Twins, "kind", "world")
	m.Count("manager_twins_total", "Processes that came by the name of another that is there, by kind.", st.Twins, "kind", "login")
	m.Counter("manager_dropped_total", "Messages of nodes that sent faster than they were taken.", st.Dropped)
	m.Counter("directory_refused_total", "What worlds said of keys that are none of theirs.", st.Directory.Refused)
	m.Counter("directory_unvouched_total", "Those of them for which a world had no login server's voucher.", st.Directory.Unvouched)
	m.Gauge("manager_login_servers", "Login servers that are heard.", float64(st.Logins))
	m.Gauge("directory_keys", "Accounts whose key's place is known.", float64(st.Directory.Entries))
}

// gateCollector has the metrics of a world's gate.
type gateCollector struct{ gate *gate.Gate }

// Describe sends nothing: Collect makes the metrics anew each time.
func (gateCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters. Any goroutine.
func (c gateCollector) Collect(out chan<- prometheus.Metric) {
	m, st := process.NewMetrics(out), c.gate.Stats()
	m.Flag("gate_registered", "1 while the world's registration stands.", c.gate.Registered())
	for i := range gate.StateCount {
		m.Labelled("gate_sessions", "Connections at the gate, by state.", prometheus.GaugeValue, float64(st.InState[i]), "state", i.String())
		m.Count("gate_expired_total", "Connections that were too long in a state.", st.Expired[i], "state", i.String())
	}
	for i := range gate.RefusalCount {
		m.Count("gate_refused_total", "Clients that were not let in, by reason.", st.Refused[i], "reason", i.String())
	}
	for i := range gate.LeftReasonCount {
		m.Count("gate_left_total", "Players who are gone, by reason.", st.Left[i], "reason", i.String())
	}
	for k := worlds.OutcomeTaken; k < worlds.OutcomeKindCount; k++ {
		m.Count("gate_moves_total", "How moves of keys came out here.", st.Outcomes[k], "outcome", k.String())
	}
	m.Counter("gate_claims_total", "Keys asked for.", st.Claims)
	m.Counter("gate_passes_used_total", "Clients that came with a pass.", st.PassesUsed)
	m.Gauge("gate_native_clients", "Native clients now, in any state.", float64(st.Native))
	m.Counter("gate_native_broken_total", "Native clients cut off behind a right proof: a sealed frame was changed, cut, repeated or reordered, or made no sense.", st.Broken)
	m.Counter("gate_entered_total", "Players let in.", st.Entered)
	m.Counter("gate_replaced_total", "Connections that another of the same account took the place of.", st.Replaced)
	m.Gauge("gate_queue_length", "Places in line that are taken.", float64(st.Queue))
	m.Counter("gate_waited_total", "Players who got in from the line.", st.Waited)
	m.Seconds("gate_waited_seconds_total", "How long they waited in all.", st.WaitedTime)
	m.Counter("gate_places_lost_total", "Players in line who did not come back in time.", st.PlacesLost)
	m.Counter("gate_positions_told_total", "Updates of places in line.", st.PositionsTold)
	m.Gauge("gate_keys", "Session keys held.", float64(st.Keys))
	m.Counter("gate_keys_expired_total", "Keys nobody came back for.", st.KeysExpired)
	m.Counter("gate_packets_total", "Packets given to the game.", st.Packets)
	m.Counter("gate_panics_total", "Panics that cost a player.", st.Panics)
	counters.Each(&st.Server, func(s counters.Sample) {
		if shownByGate(&s) {
			m.Sample(s)
		}
	})
	m.Rounds("gate_logic", st.Inbox.Loop)
}

// shownByGate reports whether a gate has this metric of a server.
func shownByGate(s *counters.Sample) bool {
	switch s.Name {
	case "connections", "connections_max", "connections_accepted_total",
		"connections_accept_failures_total", "connections_cannot_accept", "connections_stale_events_total":
		return true
	case "connections_refused_total":
		return s.LabelValue == "full"
	}
	return false
}

// dnsCollector has the metrics of a DNS server.
type dnsCollector struct{ dns *dns.Server }

// Describe sends nothing: Collect makes the metrics anew each time.
func (dnsCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters. Any goroutine.
func (c dnsCollector) Collect(out chan<- prometheus.Metric) {
	m, st := process.NewMetrics(out), c.dns.Stats()
	m.Count("dns_questions_total", "Packets read, by transport.", st.UDP, "transport", "udp")
	m.Count("dns_questions_total", "Packets read, by transport.", st.TCP, "transport", "tcp")
	for i := range dns.OutcomeCount {
		m.Count("dns_answers_total", "What became of them.", st.Outcomes[i], "outcome", i.String())
	}
	m.Counter("dns_truncated_total", "Answers that told the client to come over TCP.", st.Truncated)
	m.Count("dns_limited_total", "Questions beyond the rate limit.", st.LimitedDropped, "how", "dropped")
	m.Count("dns_limited_total", "Questions beyond the rate limit.", st.LimitedSlipped, "how", "slipped")
	m.Gauge("dns_connections", "Open TCP connections.", float64(st.Conns))
	m.Counter("dns_connections_refused_total", "TCP connections for which there was no room.", st.ConnsRefused)
	m.Counter("dns_errors_total", "Answers that could not be sent.", st.Errors)
	m.Counter("dns_panics_total", "Panics that cost an answer.", st.Panics)
	m.Counter("dns_beats_total", "Heartbeats of login servers taken.", st.Beats)
	m.Counter("dns_beats_refused_total", "Heartbeats that made no sense.", st.BeatsRefused)
	m.Gauge("dns_logins_known", "Login servers heard of.", float64(st.Known))
	m.Gauge("dns_logins_healthy", "Login servers that clients are sent to.", float64(st.Healthy))
	m.Gauge("dns_logins_draining", "Login servers that drain.", float64(st.Draining))
}
