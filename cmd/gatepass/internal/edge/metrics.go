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
	m.Counter("auth_done_total", "Jobs done by the auth pool.", st.Done)
	m.Counter("auth_panics_total", "Panics in auth jobs.", st.Panics)
	m.Counter("auth_refused_total", "Jobs for which the auth pool had no room.", st.Refused)
}

func (s stageCollector) storage(m process.MetricWriter) {
	st := s.edge.served.Stats()
	m.Gauge("storage_read_queue_length", "Reads taken and not yet answered.", float64(st.ReadQueue))
	m.Gauge("storage_write_queue_length", "Writes taken and not yet answered.", float64(st.WriteQueue))
	m.Counter("storage_reads_total", "Reads answered.", st.Reads)
	m.Counter("storage_writes_total", "Writes applied.", st.Writes)
	m.Counter("storage_groups_total", "Groups in which writes were applied.", st.Groups)
	m.Counter("storage_syncs_total", "Groups that were synced.", st.Syncs)
	m.Seconds("storage_sync_seconds_total", "Time from applying a group to having it on disk.", st.SyncTotal)
	m.Counter("storage_refused_reads_total", "Reads for which there was no room.", st.RefusedReads)
	m.Counter("storage_refused_writes_total", "Writes for which there was no room.", st.RefusedWrites)
	m.Flag("storage_failed", "1 while the disk refuses writes: the store is read-only.", st.Failed)
	m.Counter("storage_notes_dropped_total", "Records of logins and character counts that were not stored because the disk refused writes.", st.NotesDropped)
}
