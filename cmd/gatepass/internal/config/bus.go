package config

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatepass/worlds"
)

// CredsFile returns the file with a node's credentials: bus.creds, or the node's file in
// bus.dir.
func (c *Config) CredsFile(node worlds.Node) string {
	if c.Bus.Creds != "" {
		return c.Bus.Creds
	}
	return filepath.Join(c.Bus.Dir, string(node)+".creds")
}

// CAFile returns the file of the certificates that sign the bus's own certificate. It is
// empty if there is none; then the certificates of the system are trusted.
func (c *Config) CAFile() string {
	file := filepath.Join(c.Bus.Dir, "ca.pem")
	encrypted := !c.busOnLoopback() || strings.Contains(c.BusURL(), "tls://")
	if _, err := os.Stat(file); c.Bus.CA == "" && err == nil && encrypted {
		return file
	}
	return c.Bus.CA
}

// busOnLoopback reports whether the bus is on this machine. There it need not be
// encrypted.
func (c *Config) busOnLoopback() bool {
	for _, each := range strings.Split(c.BusURL(), ",") {
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

// BusURL returns the URL of a bus that another process serves.
func (c *Config) BusURL() string {
	if c.Bus.URL != "" {
		return c.Bus.URL
	}
	if _, port, err := net.SplitHostPort(c.Bus.Listen); err == nil && worlds.EveryAddress(c.Bus.Listen) {
		return "tls://" + net.JoinHostPort("127.0.0.1", port) // the certificate is valid for loopback
	}
	return "nats://" + c.Bus.Listen
}

// RunningFile is the file in the data folder with the URL of the bus that is served from
// there. Its port may differ from that of bus.listen: dev takes a free port if that one
// is in use.
const RunningFile = "bus.url"

// runningLimit is how long the connection to such a bus may take.
const runningLimit = time.Second

// RunningBus returns the URL of the bus that is served from the data folder, or "" if
// none is running. It connects to the bus, because the file of a process that was killed
// stays.
func (c *Config) RunningBus() string {
	text, err := os.ReadFile(filepath.Join(c.Data, RunningFile))
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
