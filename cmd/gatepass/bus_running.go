package main

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatepass/atomicfile"
)

// runningFile, in the data folder, has the URL of the bus that is served from there. The
// port need not be that of bus.listen: dev takes a free one where it is taken.
const runningFile = "bus.url"

// runningLimit is how long a look at such a bus may take.
const runningLimit = time.Second

// noteBus writes down where the bus is that this process serves, and returns what takes
// that back. Without the note 'gatepass admin' needs --bus.url, which is no reason not
// to serve.
func (p *process) noteBus(url string) (forget func()) {
	file := filepath.Join(p.config.Data, runningFile)
	if err := atomicfile.Write(file, "."+runningFile+"-*", atomicfile.Content([]byte(url+"\n"))); err != nil {
		p.log.Warn("where the bus is could not be noted; tell 'gatepass admin' with --bus.url", "bus", url, "error", err)
	}
	return func() { _ = os.Remove(file) }
}

// runningBus is the URL of the bus that is served from the data folder, empty when none
// is there: the file of a process that was killed stays.
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
