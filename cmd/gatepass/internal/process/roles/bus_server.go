package roles

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"gatepass/cmd/gatepass/internal/process"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/lead"
)

// storingFault returns an error while a manager cannot store the list of worlds or its lease.
func storingFault(monitor *lead.Monitor) error {
	since := monitor.Stats().FailingSince
	if since.IsZero() {
		return nil
	}
	return fmt.Errorf("the list of worlds and the lease could not be stored since %s; most likely the disk of the bus is full or broken: see the log of the process that serves the bus", since.Format(time.RFC3339))
}

// addBusServer adds an embedded bus that has started to the process.
func addBusServer(p *process.Process, server *busserver.Server) {
	fault, forget := func() error { return server.Store().Err() }, noteBus(p, server.URL())
	p.Add(process.Part{
		Name: "bus server", Ready: fault, Degraded: fault, Metrics: busServerCollector{server},
		Close: func() error { forget(); server.Close(); return nil },
	})
	p.Say("bus", server.URL())
}

// Bus starts the role of a bus without anything else in its process.
func Bus(_ context.Context, p *process.Process) error {
	c := p.Config
	server, err := busserver.Start(busserver.Options{
		Dir: c.Bus.Dir, Store: filepath.Join(c.Data, "bus-store"), Listen: c.Bus.Listen,
		ClusterListen: c.Bus.ClusterListen, Routes: c.Bus.Routes, MaxConns: process.BusConns(false), Logger: p.Log.With("part", "bus"),
	})
	if err != nil {
		return err
	}
	addBusServer(p, server)
	return nil
}
