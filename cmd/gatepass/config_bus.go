package main

import (
	"gatepass/worlds"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// credsFile returns the file with a node's credentials: bus.creds, or the node's file in
// bus.dir.
func (c *config) credsFile(node worlds.Node) string {
	if c.Bus.Creds != "" {
		return c.Bus.Creds
	}
	return filepath.Join(c.Bus.Dir, string(node)+".creds")
}

// caFile returns the file of the certificates that sign the bus's own certificate. It is
// empty if there is none; then the certificates of the system are trusted.
func (c *config) caFile() string {
	file := filepath.Join(c.Bus.Dir, "ca.pem")
	encrypted := !c.busOnLoopback() || strings.Contains(c.busURL(), "tls://")
	if _, err := os.Stat(file); c.Bus.CA == "" && err == nil && encrypted {
		return file
	}
	return c.Bus.CA
}

// busOnLoopback reports whether the bus is on this machine. There it need not be
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

// busURL returns the URL of a bus that another process serves.
func (c *config) busURL() string {
	if c.Bus.URL != "" {
		return c.Bus.URL
	}
	if _, port, err := net.SplitHostPort(c.Bus.Listen); err == nil && worlds.EveryAddress(c.Bus.Listen) {
		return "tls://" + net.JoinHostPort("127.0.0.1", port) // the certificate is valid for loopback
	}
	return "nats://" + c.Bus.Listen
}

// runningFile is the file in the data folder with the URL of the bus that is served from
// there. Its port may differ from that of bus.listen: dev takes a free port if that one
// is in use.
const runningFile = "bus.url"

// runningLimit is how long the connection to such a bus may take.
const runningLimit = time.Second

// runningBus returns the URL of the bus that is served from the data folder, or "" if
// none is running. It connects to the bus, because the file of a process that was killed
// stays.
func (c *config) runningBus() string {
	text, err := os.ReadFile(filepath.Join(c.Data, runningFile))
	if err != nil {
		return ""
	}
	at := strings.TrimSpace(string(text))
	u, err := url.Parse(at)
	if err != nil {
		return ""
	}
	conn, err := net.DialTimeout("tcp", u.Host, runningLimit)
	if err != nil {
		return ""
	}
	_ = conn.Close()
	return at
}
