package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"gatepass/perf/load/internal/usage"
)

// Target is a server under load.
type Target struct {
	// Addr is the listener of the protocol that the clients use.
	Addr netip.AddrPort
	// PIDs are the processes whose CPU time and memory are the server's cost. A server with
	// a database has two. None: the cost is not measured.
	PIDs []int
	// Canned says that the server answers with fixed bytes, so that its proofs are not
	// checked.
	Canned bool
}

// reach checks that the processes exist and that the server accepts a connection. It runs
// before any load, so that an error means a missing server, not a slow one.
func (t *Target) reach(ctx context.Context) error {
	if _, err := usage.NewReader().CPU(t.PIDs); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.Addr.String())
	if err != nil {
		return fmt.Errorf("load: cannot reach the server, is it running there? %w", err)
	}
	return conn.Close()
}

// reachWithin is how long a server without load may take to accept a connection.
const reachWithin = 5 * time.Second
