package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatepass/counters"
	"gatepass/queue"
)

// metricWriter names metrics and sends them to Prometheus.
type metricWriter struct{ out chan<- prometheus.Metric }

// newMetrics returns a MetricWriter that sends to out.
func newMetrics(out chan<- prometheus.Metric) metricWriter { return metricWriter{out} }

// labelled sends one value. An empty label stands for none.
func (m metricWriter) labelled(name, help string, kind prometheus.ValueType, v float64, label, value string) {
	var labels, values []string
	if label != "" {
		labels, values = []string{label}, []string{value}
	}
	desc := prometheus.NewDesc("gatepass_"+name, help, labels, nil)
	m.out <- prometheus.MustNewConstMetric(desc, kind, v, values...)
}

// gauge sends a value that may rise and fall.
func (m metricWriter) gauge(name, help string, v float64) {
	m.labelled(name, help, prometheus.GaugeValue, v, "", "")
}

// flag sends a gauge that is 1 for true.
func (m metricWriter) flag(name, help string, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	m.gauge(name, help, v)
}

// counter sends a value that only rises.
func (m metricWriter) counter(name, help string, v uint64) { m.count(name, help, v, "", "") }

// count sends a counter with a label.
func (m metricWriter) count(name, help string, v uint64, label, value string) {
	m.labelled(name, help, prometheus.CounterValue, float64(v), label, value)
}

// seconds sends a counter of time.
func (m metricWriter) seconds(name, help string, d time.Duration) {
	m.labelled(name, help, prometheus.CounterValue, d.Seconds(), "", "")
}

// rounds sends how often a consumer of queues ran and slept.
func (m metricWriter) rounds(who string, st queue.ConsumerStats) {
	m.counter(who+"_rounds_total", "Rounds of the "+who+".", st.Rounds)
	m.counter(who+"_rounds_lent_total", "Rounds of the "+who+" that ran on a producer's goroutine.", st.Lent)
	m.counter(who+"_sleeps_total", "How often the "+who+" had nothing left to do.", st.Sleeps)
}

// all sends every metric that a struct declares; see package counters.
func (m metricWriter) all(stats any) { counters.Each(stats, m.sample) }

func (m metricWriter) sample(s counters.Sample) {
	kind := prometheus.GaugeValue
	if s.Rises {
		kind = prometheus.CounterValue
	}
	m.labelled(s.Name, s.Help, kind, s.Value, s.Label, s.LabelValue)
}
