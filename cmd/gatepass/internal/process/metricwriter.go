package process

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatepass/counters"
	"gatepass/queue"
)

// MetricWriter names metrics and sends them to Prometheus.
type MetricWriter struct{ out chan<- prometheus.Metric }

// NewMetrics returns a MetricWriter that sends to out.
func NewMetrics(out chan<- prometheus.Metric) MetricWriter { return MetricWriter{out} }

// Labelled sends one value. An empty label stands for none.
func (m MetricWriter) Labelled(name, help string, kind prometheus.ValueType, v float64, label, value string) {
	var labels, values []string
	if label != "" {
		labels, values = []string{label}, []string{value}
	}
	desc := prometheus.NewDesc("gatepass_"+name, help, labels, nil)
	m.out <- prometheus.MustNewConstMetric(desc, kind, v, values...)
}

// Gauge sends a value that may rise and fall.
func (m MetricWriter) Gauge(name, help string, v float64) {
	m.Labelled(name, help, prometheus.GaugeValue, v, "", "")
}

// Flag sends a gauge that is 1 for true.
func (m MetricWriter) Flag(name, help string, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	m.Gauge(name, help, v)
}

// Counter sends a value that only rises.
func (m MetricWriter) Counter(name, help string, v uint64) { m.Count(name, help, v, "", "") }

// Count sends a counter with a label.
func (m MetricWriter) Count(name, help string, v uint64, label, value string) {
	m.Labelled(name, help, prometheus.CounterValue, float64(v), label, value)
}

// Seconds sends a counter of time.
func (m MetricWriter) Seconds(name, help string, d time.Duration) {
	m.Labelled(name, help, prometheus.CounterValue, d.Seconds(), "", "")
}

// Rounds sends how often a consumer of queues ran and slept.
func (m MetricWriter) Rounds(who string, st queue.ConsumerStats) {
	m.Counter(who+"_rounds_total", "Rounds of the "+who+".", st.Rounds)
	m.Counter(who+"_rounds_lent_total", "Rounds of the "+who+" that ran on a producer's goroutine.", st.Lent)
	m.Counter(who+"_sleeps_total", "How often the "+who+" had nothing left to do.", st.Sleeps)
}

// All sends every metric that a struct declares; see package counters.
func (m MetricWriter) All(stats any) { counters.Each(stats, m.Sample) }

func (m MetricWriter) Sample(s counters.Sample) {
	kind := prometheus.GaugeValue
	if s.Rises {
		kind = prometheus.CounterValue
	}
	m.Labelled(s.Name, s.Help, kind, s.Value, s.Label, s.LabelValue)
}
