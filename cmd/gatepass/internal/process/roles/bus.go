package roles

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/busserver"
	buscreds "gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/lead"
)

// serveBus starts an embedded bus, adds it to the process and makes the credentials of
// nodes that are missing. servesClients says that the process serves clients too.
func serveBus(p *process.Process, servesClients bool, nodes ...worlds.Node) (*busserver.Server, error) {
	c := p.Config
	fresh, err := ensureNodes(c, nodes)
	if err != nil {
		return nil, err
	}
	if fresh && worlds.EveryAddress(c.Bus.Listen) {
		p.Log.Warn("the bus's certificate was made just now and names this machine's loopback only; make one with the names by which others find it: gatepass bus certify --dir "+c.Bus.Dir+" --host NAME",
			"listen", c.Bus.Listen)
	}
	server, err := busserver.Start(busserver.Options{
		Dir: c.Bus.Dir, Store: filepath.Join(c.Data, "bus-store"), Listen: c.Bus.Listen, Name: c.Node,
		ClusterListen: c.Bus.ClusterListen, Routes: c.Bus.Routes, MaxConns: process.BusConns(servesClients), Logger: p.Log.With("part", "bus"),
	})
	if err != nil {
		return nil, err
	}
	addBusServer(p, server)
	return server, nil
}

// ensureNodes makes the credentials that are missing or out of date. At the first start it
// also makes the authority, and returns fresh. A folder that has all credentials needs no
// keys of an authority.
func ensureNodes(c *config.Config, nodes []worlds.Node) (fresh bool, err error) {
	file := func(node worlds.Node) string { return filepath.Join(c.Bus.Dir, string(node)+".creds") }
	missing := slices.DeleteFunc(slices.Clone(nodes), func(node worlds.Node) bool {
		_, err := os.Stat(file(node))
		return err == nil
	})
	authority, err := buscreds.OpenAuthority(c.Bus.Dir)
	if len(missing) == 0 && err != nil {
		return false, nil
	}
	if fresh = errors.Is(err, buscreds.ErrNoAuthority); fresh {
		authority, err = buscreds.InitAuthority(c.Bus.Dir, buscreds.InitOptions{
			Region: "region", Hosts: hostsOf(c.Bus.Listen), Now: time.Now(), Random: rand.Reader,
		})
	}
	for _, node := range missing {
		if err == nil {
			err = authority.AddNode(node, file(node))
		}
	}
	// Credentials of an earlier version lack permissions that nodes need now.
	for _, node := range nodes {
		if err == nil && !slices.Contains(missing, node) {
			err = renew(authority, node, file(node))
		}
	}
	return fresh, err
}

// renew replaces a node's credentials if they are out of date.
func renew(authority *buscreds.Authority, node worlds.Node, file string) error {
	current, err := buscreds.UpToDate(file)
	if err != nil {
		return fmt.Errorf("bus.creds: %s: %w", file, err)
	}
	if current {
		return nil
	}
	return authority.ReplaceNode(node, file)
}

// hostsOf returns the names that a certificate has besides loopback: the host of listen, or
// none if that is every address.
func hostsOf(listen string) []string {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || worlds.EveryAddress(listen) {
		return nil
	}
	return []string{host}
}

// startManager adds a world manager to the process. It leads when no other manager does.
func startManager(p *process.Process, conn *bus.Conn) error {
	r := &p.Config.Region
	rule, err := config.ParseSecondLogin(r.SecondLogin)
	if err != nil {
		return err
	}
	failure, ended, monitor := make(chan error, 1), make(chan struct{}), &lead.Monitor{}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		err := lead.RunManager(ctx, conn, lead.ManagerOptions{
			Heartbeat: r.Heartbeat, Missed: r.Missed, Refresh: r.Refresh, SecondLogin: rule,
			Lease: r.Lease, Logger: p.Log.With("part", "manager"), Monitor: monitor,
		})
		if err != nil && ctx.Err() == nil {
			failure <- err
		}
	}()
	stop := func() error { cancel(); <-ended; return nil }
	fault := func() error { return errors.Join(process.LeaderFault(conn), storingFault(monitor)) }
	p.Add(process.Part{Name: "manager", Failed: failure, Ready: fault, Degraded: fault, Close: stop, Metrics: managerCollector{monitor}})
	return nil
}
