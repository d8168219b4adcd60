package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatepass/queue"
	"gatepass/server"
)

// metricWriter names and sends metrics.
type metricWriter struct{ out chan<- prometheus.Metric }

// labelled sends one value; label and value may be empty for none.
func (m metricWriter) labelled(name, help string, kind prometheus.ValueType, v float64, label, value string) {
	var labels, values []string
	if label != "" {
		labels, values = []string{label}, []string{value}
	}
	desc := prometheus.NewDesc("gatepass_"+name, help, labels, nil)
	m.out <- prometheus.MustNewConstMetric(desc, kind, v, values...)
}

func (m metricWriter) gauge(name, help string, v float64) {
	m.labelled(name, help, prometheus.GaugeValue, v, "", "")
}

// flag is 1 for true.
func (m metricWriter) flag(name, help string, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	m.gauge(name, help, v)
}

func (m metricWriter) counter(name, help string, v uint64) { m.count(name, help, v, "", "") }

func (m metricWriter) count(name, help string, v uint64, label, value string) {
	m.labelled(name, help, prometheus.CounterValue, float64(v), label, value)
}

func (m metricWriter) seconds(name, help string, d time.Duration) {
	m.labelled(name, help, prometheus.CounterValue, d.Seconds(), "", "")
}

// rounds shows how a consumer of queues shares its wake-ups.
func (m metricWriter) rounds(who string, st queue.ConsumerStats) {
	m.counter(who+"_rounds_total", "Rounds of the "+who+".", st.Rounds)
	m.counter(who+"_rounds_lent_total", "Rounds of the "+who+" that ran on a producer's goroutine.", st.Lent)
	m.counter(who+"_sleeps_total", "How often the "+who+" had nothing left to do.", st.Sleeps)
}

const refusedHelp = "Client connections closed at once, by reason."

// accepts shows whether a server can accept connections.
func (m metricWriter) accepts(st *server.Stats) {
	m.counter("connections_accept_failures_total", "Accepts of client connections that failed, for want of file descriptors or memory. The clients wait.", st.AcceptFailures)
	m.flag("connections_cannot_accept", "1 while client connections cannot be accepted.", st.CannotAccept)
	m.counter("connections_stale_events_total", "Events of connections that had been closed in the same round.", st.StaleEvents)
}
