package edge

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"gatepass/cmd/gatepass/internal/process"
	"gatepass/patches"
	"gatepass/queue"
)

// stageCollector has the metrics of every stage. It reads the counters of the stages when
// Prometheus asks; the stages do not know Prometheus.
type stageCollector struct{ edge *Edge }

// Describe sends nothing: Collect makes the metrics anew each time.
func (stageCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads all parts. Any goroutine.
func (s stageCollector) Collect(out chan<- prometheus.Metric) {
	m := process.NewMetrics(out)
	s.server(m)
	s.inbox(m)
	s.logic(m)
	s.auth(m)
	s.storage(m)
}

func (s stageCollector) server(m process.MetricWriter) {
	st := s.edge.server.Stats()
	m.All(&st)
	m.Rounds("sender", st.Sender)
}

func (s stageCollector) inbox(m process.MetricWriter) {
	st := s.edge.inbox.Stats()
	shard := func(name string, q queue.ShardStats) {
		m.Labelled("inbox_length", "Messages that wait for the logic, by shard.", prometheus.GaugeValue, float64(q.Len), "shard", name)
		m.Count("inbox_taken_total", "Messages that the logic took, by shard.", q.Taken, "shard", name)
		m.Count("inbox_refused_total", "Pushes that found no room, by shard.", q.Refused, "shard", name)
	}
	shard("clock", st.Ticks)
	shard("command", st.Commands)
	shard("storage", st.Stored)
	shard("auth", st.Proved)
	shard("region", st.Region)
	for i, q := range st.Clients {
		shard("reactor-"+strconv.Itoa(i), q)
	}
	m.Rounds("logic", st.Loop)
}

func (s stageCollector) logic(m process.MetricWriter) {
	st := s.edge.core.Stats()
	m.All(&st)
	if counts := s.edge.patches.Load(); counts != nil {
		for state, n := range counts {
			m.Labelled("patches", "Patches of the catalogue, by whether they are offered, and why not.", prometheus.GaugeValue, float64(n), "state", patches.State(state).String())
		}
	}
}

func (s stageCollector) auth(m process.MetricWriter) {
	st := s.edge.pool.Stats()
	m.Gauge("auth_queue_length", "Jobs that wait for the auth pool.", float64(st.Queued-st.Done))
	m.All(&st)
}

func (s stageCollector) storage(m process.MetricWriter) {
	st := s.edge.served.Stats()
	m.All(&st)
}
