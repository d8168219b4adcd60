package edge

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"gatepass/cmd/gatepass/internal/process"
	"gatepass/codec"
	"gatepass/logic"
	"gatepass/patches"
	"gatepass/queue"
	"gatepass/worlds"
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
	for k := codec.KindOpened; k < codec.KindCount; k++ {
		m.Count("logic_messages_total", "Messages processed, by kind.", st.Messages[k], "kind", k.String())
	}
	for i := range logic.StateCount {
		m.Labelled("sessions", "Sessions, by state.", prometheus.GaugeValue, float64(st.InState[i]), "state", i.String())
		m.Count("logic_out_of_place_total", "Messages that the session's state did not take.", st.OutOfPlace[i], "state", i.String())
		m.Count("logic_expired_total", "Sessions that were too long in a state.", st.Expired[i], "state", i.String())
	}
	for k := range logic.SignalKindCount {
		m.Count("logins_total", "What has happened to logins, by outcome.", st.Signals[k], "outcome", k.String())
	}
	for r := codec.ResultOK + 1; r < codec.ResultCount; r++ {
		m.Count("refusals_total", "What clients were refused with.", st.Refused[r], "result", r.String())
	}
	for name, n := range st.RefusedBy {
		m.Count("filter_refusals_total", "Refusals, by filter.", n, "filter", name)
	}
	for r := codec.SelectUnknown; r < codec.SelectReasonCount; r++ {
		m.Count("picks_refused_total", "Picks of native clients that came to no pass, by reason.", st.SelectRefused[r], "reason", r.String())
	}
	for end := codec.TransferDone + 1; end < codec.TransferEndCount; end++ {
		m.Count("updates_failed_total", "Updates of clients that could not be finished, by reason.", st.UpdateFailures[end], "reason", end.String())
	}
	if counts := s.edge.patches.Load(); counts != nil {
		for state, n := range counts {
			m.Labelled("patches", "Patches of the catalogue, by whether they are offered, and why not.", prometheus.GaugeValue, float64(n), "state", patches.State(state).String())
		}
	}
	m.Gauge("updates_sending", "Clients that are being sent a patch.", float64(st.Updating))
	m.Gauge("updates_waiting", "Clients that wait in line for one.", float64(st.Waiting))
	m.Flag("maintenance", "1 while an operator has logins refused.", st.Maintenance)
	m.Gauge("sessions_native", "Native clients that are in.", float64(st.Natives))
	m.Counter("moves_in_total", "Messages about moves of keys that came.", st.MovesIn)
	m.Counter("moves_out_total", "Messages about moves of keys that were sent.", st.MovesOut)
	for k := worlds.OutcomeTaken; k < worlds.OutcomeKindCount; k++ {
		m.Count("moves_total", "How moves of keys came out here.", st.Moves[k], "outcome", k.String())
	}
	m.Counter("character_counts_dropped_total", "Reports of characters for which there was no room.", st.NotesDropped)
	m.Gauge("address_bans", "Address bans that hold.", float64(st.Bans))
	m.Gauge("address_bans_damaged", "Address bans that are stored and cannot be read; they do not hold.", float64(st.BansDamaged))
	m.Flag("list_stale", "1 while no world manager is heard: the list may be out of date.", st.Stale)
	m.Counter("lists_pushed_total", "Lists of worlds sent unasked.", st.Pushed)
	m.Gauge("session_keys", "Session keys held, those in their grace included.", float64(st.Keys))
	m.Gauge("ephemeral_stock", "Ephemeral keys ready for a challenge.", float64(st.Stock))
	m.Counter("logic_panics_total", "Panics that cost one session.", st.Panics)
	m.Counter("logic_signal_loops_total", "Signals cut because they went in a circle.", st.SignalLoops)
	m.Counter("logic_storage_errors_total", "Storage requests that failed.", st.StoreErrors)
	m.Counter("logic_auth_errors_total", "Auth jobs that failed for other reasons than a wrong proof.", st.AuthErrors)
	m.Counter("logic_storage_refused_total", "Storage requests for which there was no room.", st.OpsRefused)
	m.Counter("logic_auth_refused_total", "Auth jobs for which there was no room.", st.JobsRefused)
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
