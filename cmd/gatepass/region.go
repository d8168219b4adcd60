package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// randomID draws a number that no other start of a process has.
func randomID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// credsFile is where a node's credentials are unless the operator says otherwise.
func (c *config) credsFile(node worlds.Node) string {
	if c.Bus.Creds != "" {
		return c.Bus.Creds
	}
	return filepath.Join(c.Bus.Dir, string(node)+".creds")
}

// caFile is the certificate with which an encrypted bus's own is signed; none
// where there is no such file, and then the system's are trusted.
func (c *config) caFile() string {
	file := filepath.Join(c.Bus.Dir, "ca.pem")
	encrypted := !c.busOnLoopback() || strings.Contains(c.busURL(), "tls://")
	if _, err := os.Stat(file); c.Bus.CA == "" && err == nil && encrypted {
		return file
	}
	return c.Bus.CA
}

// busOnLoopback tells whether the bus is on this machine, where it need not be
// encrypted.
func (c *config) busOnLoopback() bool {
	for _, each := range strings.Split(c.busURL(), ",") {
		u, err := url.Parse(strings.TrimSpace(each))
		if err != nil {
			return false
		}
		ip, err := netip.ParseAddr(u.Hostname())
		if u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}

// busURL is where the bus is that others serve.
func (c *config) busURL() string {
	if c.Bus.URL != "" {
		return c.Bus.URL
	}
	if _, port, err := net.SplitHostPort(c.Bus.Listen); err == nil && worlds.EveryAddress(c.Bus.Listen) {
		return "tls://" + net.JoinHostPort("127.0.0.1", port) // its certificate is good for loopback
	}
	return "nats://" + c.Bus.Listen
}

// connectBus adds the process's connection to the bus. node says who it is
// where the credentials are looked for in bus.dir.
func connectBus(ctx context.Context, p *process, node worlds.Node, server *bus.Server) (*bus.Conn, error) {
	c := p.config
	o := bus.Options{Creds: c.credsFile(node), CA: c.caFile(), Logger: p.log.With("part", "bus")}
	if o.Server = server; server == nil {
		o.URL = c.busURL()
	}
	if _, err := os.Stat(o.Creds); errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{fmt.Errorf("bus.creds: there is no %s; make it with: gatepass bus add %s --dir %s", o.Creds, node, c.Bus.Dir)}
	}
	conn, err := bus.Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if conn.Self() != node {
		_ = conn.Close()
		return nil, usageError{fmt.Errorf("bus.creds: %s are those of %s, this process is %s", o.Creds, conn.Self(), node)}
	}
	p.conns = append(p.conns, conn)
	p.add(part{name: "bus", close: conn.Close, metrics: busCollector{conn}})
	return conn, nil
}

// serveBus adds an embedded bus to the process, with credentials for nodes.
func serveBus(p *process, nodes ...worlds.Node) (*bus.Server, error) {
	c := p.config
	fresh, err := c.ensureNodes(nodes)
	if err != nil {
		return nil, err
	}
	if fresh && worlds.EveryAddress(c.Bus.Listen) {
		p.log.Warn("the bus's certificate was made just now and names this machine's loopback only; make one with the names by which others find it: gatepass bus certify --dir "+c.Bus.Dir+" --host NAME",
			"listen", c.Bus.Listen)
	}
	server, err := bus.StartServer(bus.ServerOptions{
		Dir: c.Bus.Dir, Store: filepath.Join(c.Data, "bus-store"), Listen: c.Bus.Listen, Name: c.Node,
		ClusterListen: c.Bus.ClusterListen, Routes: c.Bus.Routes, MaxConns: c.busConns(), Logger: p.log.With("part", "bus"),
	})
	if err != nil {
		return nil, err
	}
	addBusServer(p, server)
	return server, nil
}

// ensureNodes makes the credentials that are missing or out of date, and the authority
// at the very first start: then it is fresh. A folder that has them all needs no
// authority's keys.
func (c *config) ensureNodes(nodes []worlds.Node) (fresh bool, err error) {
	file := func(node worlds.Node) string { return filepath.Join(c.Bus.Dir, string(node)+".creds") }
	missing := slices.DeleteFunc(slices.Clone(nodes), func(node worlds.Node) bool {
		_, err := os.Stat(file(node))
		return err == nil
	})
	authority, err := bus.OpenAuthority(c.Bus.Dir)
	if len(missing) == 0 && err != nil {
		return false, nil
	}
	if fresh = errors.Is(err, bus.ErrNoAuthority); fresh {
		authority, err = bus.InitAuthority(c.Bus.Dir, bus.InitOptions{
			Region: "region", Hosts: hostsOf(c.Bus.Listen), Now: time.Now(), Random: rand.Reader,
		})
	}
	for _, node := range missing {
		if err == nil {
			err = authority.AddNode(node, file(node))
		}
	}
	// Those of an earlier version lack what nodes have been allowed since.
	for _, node := range nodes {
		if err == nil && !slices.Contains(missing, node) {
			err = renew(authority, node, file(node))
		}
	}
	return fresh, err
}

// renew makes a node's credentials anew if they are out of date.
func renew(authority *bus.Authority, node worlds.Node, file string) error {
	current, err := bus.UpToDate(file)
	if err != nil {
		return fmt.Errorf("bus.creds: %s: %w", file, err)
	}
	if current {
		return nil
	}
	return authority.ReplaceNode(node, file)
}

// hostsOf is what a certificate should name beside loopback: the host, unless that
// is every address.
func hostsOf(listen string) []string {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || worlds.EveryAddress(listen) {
		return nil
	}
	return []string{host}
}

// startManager adds a world manager, which leads when no other does.
func startManager(p *process, conn *bus.Conn) error {
	r := &p.config.Region
	rule, err := parseSecondLogin(r.SecondLogin)
	if err != nil {
		return err
	}
	failure, ended, monitor := make(chan error, 1), make(chan struct{}), &bus.Monitor{}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		err := bus.RunManager(ctx, conn, bus.ManagerOptions{
			Heartbeat: r.Heartbeat, Missed: r.Missed, Refresh: r.Refresh, SecondLogin: rule,
			Lease: r.Lease, Logger: p.log.With("part", "manager"), Monitor: monitor,
		})
		if err != nil && ctx.Err() == nil {
			failure <- err
		}
	}()
	stop := func() error { cancel(); <-ended; return nil }
	fault := func() error { return errors.Join(leaderFault(conn), storingFault(monitor)) }
	p.add(part{name: "manager", failed: failure, ready: fault, degraded: fault, close: stop, metrics: managerCollector{monitor}})
	return nil
}

// parseSecondLogin reads the operator's rule for a login to an account that is in.
func parseSecondLogin(rule string) (worlds.SecondLogin, error) {
	switch rule {
	case "replace":
		return worlds.SecondLoginReplace, nil
	case "refuse":
		return worlds.SecondLoginRefuse, nil
	}
	return 0, fmt.Errorf("%q is neither replace nor refuse", rule)
}
