package roles

import (
	"github.com/prometheus/client_golang/prometheus"

	"gatepass/cmd/gatepass/internal/process"
	"gatepass/counters"
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
	m.All(&st)
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
	st := c.dns.Stats()
	process.NewMetrics(out).All(&st)
}
