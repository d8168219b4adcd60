package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/busserver"
)

// ConnectBus connects to the bus as a node and adds the connection to the process. server
// is the bus that the process serves itself, nil for that of the configuration. The error
// is an exit.UsageError if the credentials are missing or belong to another node.
func (p *Process) ConnectBus(ctx context.Context, node worlds.Node, server *busserver.Server) (*bus.Conn, error) {
	c := p.Config
	o := bus.Options{Creds: c.CredsFile(node), CA: c.CAFile(), Logger: p.Log.With("part", "bus")}
	if server != nil {
		o.Server = server
	} else {
		o.URL = c.BusURL()
	}
	if _, err := os.Stat(o.Creds); errors.Is(err, fs.ErrNotExist) {
		return nil, exit.Usage(fmt.Errorf("bus.creds: there is no %s; make it with: gatepass bus add %s --dir %s", o.Creds, node, c.Bus.Dir))
	}
	conn, err := bus.Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if conn.Self() != node {
		_ = conn.Close()
		return nil, exit.Usage(fmt.Errorf("bus.creds: %s are those of %s, this process is %s", o.Creds, conn.Self(), node))
	}
	p.conns = append(p.conns, conn)
	p.Add(Part{Name: "bus", Close: conn.Close, Metrics: busCollector{conn}})
	return conn, nil
}

// LeaderFault returns an error if the connection has heard of no leading world manager
// for a while. It returns nil for a nil connection.
//
// Without a leader, a process is degraded. A manager and a gate are not ready either,
// because they can serve nobody. A login server stays ready: logins go on. No process
// counts as unhealthy: the region recovers by itself, and a restart would not help.
func LeaderFault(conn *bus.Conn) error {
	if conn == nil {
		return nil
	}
	since, missing := conn.Leaderless()
	switch {
	case !missing:
		return nil
	case !conn.Up():
		return fmt.Errorf("no world manager is heard since %s: the bus is away", since.Format(time.RFC3339))
	}
	return fmt.Errorf("no world manager leads since %s", since.Format(time.RFC3339))
}

// busCollector has the metrics of a connection to the bus.
type busCollector struct{ conn *bus.Conn }

// Collect reads the counters. Any goroutine.
func (c busCollector) Collect(out chan<- prometheus.Metric) {
	m, st := NewMetrics(out), c.conn.Stats()
	count := func(name, help string, v uint64) { m.Count(name, help, v, "node", string(c.conn.Self())) }
	m.Labelled("bus_up", "1 while the bus is there.", prometheus.GaugeValue, oneUnless(!st.Up), "node", string(c.conn.Self()))
	if _, missing := c.conn.Leaderless(); c.conn.NeedsLeader() {
		m.Labelled("bus_leader_heard", "1 while a world manager is heard to lead, 0 after 6 s without.", prometheus.GaugeValue, oneUnless(missing), "node", string(c.conn.Self()))
	}
	count("bus_connects_total", "Connections made to the bus.", st.Connects)
	count("bus_disconnects_total", "Connections to the bus that were lost.", st.Disconnects)
	count("bus_faults_total", "Trouble that the bus reported, such as a missing permission.", st.Faults)
	count("bus_overruns_total", "Messages that came faster than they were taken.", st.Overruns)
	count("bus_sent_total", "Messages sent.", st.Sent)
	count("bus_received_total", "Messages received.", st.Received)
	count("bus_announcements_total", "Announcements of keys sent.", st.Announced)
	count("bus_announcement_batches_total", "Messages in which they were sent.", st.Batches)
	count("bus_dropped_total", "What found no room or no bus.", st.Dropped)
	count("bus_announcements_dropped_total", "Announcements that found no room or no bus; they are made anew.", st.DroppedAnnouncements)
	count("bus_outdated_total", "Messages of world managers that do not lead any more, which were dropped.", st.Outdated)
	count("bus_malformed_total", "Messages that were not as documented.", st.Malformed)
}

// oneUnless returns 0 if something is wrong, else 1.
func oneUnless(wrong bool) float64 {
	if wrong {
		return 0
	}
	return 1
}

// Describe sends nothing: Collect makes the metrics anew each time.
func (busCollector) Describe(chan<- *prometheus.Desc) {}
