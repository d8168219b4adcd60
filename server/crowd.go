package server

import (
	"log/slog"
	"sync/atomic"
)

// crowdWatch logs once when a full server refuses clients, and once when that is over. Its
// methods may be called on any reactor.
type crowdWatch struct {
	full    atomic.Bool // it was logged that the server is full
	refused atomic.Uint64
}

// refuse records a client that was refused because there were limit connections.
func (w *crowdWatch) refuse(log *slog.Logger, limit int) {
	w.refused.Add(1)
	if !w.full.Load() && w.full.CompareAndSwap(false, true) {
		log.Warn("the server is full and refuses connections; see max-conns", "max-conns", limit)
	}
}

// left records that a connection ended and that open of limit connections are left. The server
// counts as full until one in crowdEase places is free: at the limit itself, the state would
// change with each client.
func (w *crowdWatch) left(log *slog.Logger, open int64, limit int) {
	if !w.full.Load() || open > int64(limit-max(1, limit/crowdEase)) {
		return
	}
	if w.full.CompareAndSwap(true, false) {
		log.Info("the server has room again", "connections", open, "max-conns", limit, "refused", w.refused.Swap(0))
	}
}
