package main

import (
	"errors"
	"fmt"
	"time"

	"gatepass/worlds/bus"
)

// leaderFault says that a node on the bus has heard of no leading world manager for a
// while; nil where it has, and for a nil connection.
//
// It makes a process degraded, and a manager or a gate not ready: it can do nothing for
// whoever comes. A login server stays ready, for logins go on. Nobody's health is bad
// because of it: the region mends itself, and to start a process again would not help.
func leaderFault(conn *bus.Conn) error {
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

// storingFault says that a manager cannot store the list of worlds or its lease.
func storingFault(monitor *bus.Monitor) error {
	since := monitor.Stats().FailingSince
	if since.IsZero() {
		return nil
	}
	return fmt.Errorf("the list of worlds and the lease could not be stored since %s; most likely the disk of the bus is full or broken: see the log of the process that serves the bus", since.Format(time.RFC3339))
}

// addBusServer adds an embedded bus to the process.
func addBusServer(p *process, server *bus.Server) {
	fault, forget := func() error { return storeFault(server.Store()) }, p.noteBus(server.URL())
	p.add(part{
		name: "bus server", ready: fault, degraded: fault, metrics: busServerCollector{server},
		close: func() error { forget(); server.Close(); return nil },
	})
	p.say("bus", server.URL())
}

// storeFault says that the store of an embedded bus takes no writes.
func storeFault(st bus.StoreStats) error {
	if st.FailingSince.IsZero() {
		return nil
	}
	return errors.Join(fmt.Errorf("the store takes no writes since %s; make room on its disk, the rest happens by itself", st.FailingSince.Format(time.RFC3339)), st.Fault)
}
