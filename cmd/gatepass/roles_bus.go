package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/lead"
)

// storingFault says that a manager cannot store the list of worlds or its lease.
func storingFault(monitor *lead.Monitor) error {
	since := monitor.Stats().FailingSince
	if since.IsZero() {
		return nil
	}
	return fmt.Errorf("the list of worlds and the lease could not be stored since %s; most likely the disk of the bus is full or broken: see the log of the process that serves the bus", since.Format(time.RFC3339))
}

// addBusServer adds an embedded bus to the process.
func addBusServer(p *process, server *busserver.Server) {
	fault, forget := func() error { return server.Store().Err() }, noteBus(p, server.URL())
	p.add(part{
		name: "bus server", ready: fault, degraded: fault, metrics: busServerCollector{server},
		close: func() error { forget(); server.Close(); return nil },
	})
	p.say("bus", server.URL())
}

// startBus is the story of a bus alone in its process.
func startBus(_ context.Context, p *process) error {
	c := p.config
	server, err := busserver.Start(busserver.Options{
		Dir: c.Bus.Dir, Store: filepath.Join(c.Data, "bus-store"), Listen: c.Bus.Listen,
		ClusterListen: c.Bus.ClusterListen, Routes: c.Bus.Routes, MaxConns: busConns(false), Logger: p.log.With("part", "bus"),
	})
	if err != nil {
		return err
	}
	addBusServer(p, server)
	return nil
}
