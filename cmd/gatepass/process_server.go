package main

import (
	"errors"

	"gatepass/server"
)

// acceptFault returns an error while a server cannot accept clients.
func acceptFault(st server.Stats) error {
	if st.CannotAccept {
		return errors.New("clients cannot be accepted, for want of file descriptors or memory; see the log")
	}
	return nil
}

// refusedHelp is the help text of gatepass_connections_refused_total.
const refusedHelp = "Client connections closed at once, by reason."

// accepts writes the metrics of a server that say whether it can accept connections.
func (m metricWriter) accepts(st *server.Stats) {
	m.counter("connections_accept_failures_total", "Accepts of client connections that failed, for want of file descriptors or memory. The clients wait.", st.AcceptFailures)
	m.flag("connections_cannot_accept", "1 while client connections cannot be accepted.", st.CannotAccept)
	m.counter("connections_stale_events_total", "Events of connections that had been closed in the same round.", st.StaleEvents)
}
