package bus

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatepass/guard"
)

// strangerWatch keeps room for nodes while strangers flood the port.
//
// A connection that has not proven yet who it is counts against the limit of NATS like
// any other, and has authLimit to do so: whoever opens connections faster would take all
// places. So there are more places than nodes, whose own number the account's token
// bounds, and where more than strangersFree strangers are connected they get less time,
// and still less where places become few. A node proves itself within some milliseconds.
type strangerWatch struct {
	// static after construction
	nats *embedded
	most int // connections
	log  *slog.Logger
	// clock goes on while the machine sleeps, and is not set.
	clock func() time.Duration

	cut atomic.Uint64

	// owned by the goroutine of run
	lines  guard.Pace // lines of the log about a flood
	before uint64     // of cut, when the last one was written
}

// look cuts the strangers that have had their time.
func (w *strangerWatch) look() {
	nats := w.nats.now()
	strangers := nats.GlobalAccount().NumLocalConnections()
	if strangers <= strangersFree {
		return
	}
	patience := strangerPatience
	if nats.NumClients() > w.most/4*3 {
		patience = strangerHaste
	}
	all, err := nats.Connz(&server.ConnzOptions{Username: true, Limit: w.most})
	if err != nil {
		w.log.Error("bus: connections cannot be listed", "error", err)
		return
	}
	for _, c := range all.Conns {
		stranger := c.Account == "" // a node is in the region's account once it is known
		if stranger && all.Now.Sub(c.Start) > patience && nats.DisconnectClientByID(c.Cid) == nil {
			w.cut.Add(1)
		}
	}
	w.tell()
}

// tell logs a flood, with how many were cut, once in a while.
func (w *strangerWatch) tell() {
	cut := w.cut.Load()
	if cut == w.before || !w.lines.Due(w.clock(), strangersToldEvery) {
		return
	}
	w.log.Warn("bus: connections that did not prove who they are were cut, to keep room for nodes; keep strangers from this port",
		"cut", cut-w.before)
	w.before = cut
}

// watchStrangers looks until the server ends.
func (s *Server) watchStrangers() {
	ticker := time.NewTicker(strangersLook)
	defer ticker.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticker.C:
			s.strangers.look()
		}
	}
}

// Strangers counts the connections that were cut because they did not prove in time who
// they are; anywhere.
func (s *Server) Strangers() uint64 {
	if s.strangers == nil {
		return 0
	}
	return s.strangers.cut.Load()
}
