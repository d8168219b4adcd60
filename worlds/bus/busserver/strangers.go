package busserver

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gatepass/guard"
)

// strangerWatch keeps connections free for nodes while unauthenticated clients
// ("strangers") flood the port.
//
// NATS counts an unauthenticated connection against its limit like any other, and gives it
// authTimeout to authenticate. A flood could so use up all connections. The server
// therefore accepts more connections than there may be nodes (the account's token bounds
// those), and gives unauthenticated connections less time if there are more than
// strangersFree of them, and still less if most connections are taken. A node
// authenticates within some milliseconds.
type strangerWatch struct {
	// static after construction
	nats *embedded
	most int // connections
	log  *slog.Logger
	// clock is deadline.Now.
	clock func() time.Duration

	cut atomic.Uint64

	// owned by the goroutine of run
	lines  guard.Pace // paces the log lines about a flood
	before uint64     // the value of cut when the last line was written
}

// look disconnects the clients that have not authenticated in time.
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
		stranger := c.Account == "" // an authenticated node is in the region's account
		if stranger && all.Now.Sub(c.Start) > patience && nats.DisconnectClientByID(c.Cid) == nil {
			w.cut.Add(1)
		}
	}
	w.tell()
}

// tell logs a flood with the number of closed connections, once in strangersToldEvery.
func (w *strangerWatch) tell() {
	cut := w.cut.Load()
	if cut == w.before || !w.lines.Due(w.clock(), strangersToldEvery) {
		return
	}
	w.log.Warn("bus: unauthenticated connections were closed to keep room for nodes; restrict this port to nodes",
		"cut", cut-w.before)
	w.before = cut
}

// watchStrangers checks until the server shuts down.
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

// Strangers counts the connections that were closed because they did not authenticate in
// time. It may be called from anywhere.
func (s *Server) Strangers() uint64 {
	if s.strangers == nil {
		return 0
	}
	return s.strangers.cut.Load()
}
