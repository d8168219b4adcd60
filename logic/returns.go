package logic

import "gatepass/guard"

// returns says when clients are to come back that this server sends away.
type returns struct {
	base
	// networks has the refused clients of each network.
	networks guard.Rates
	// sent is how many clients were sent away because this server stops.
	sent uint64
}

// refused is after how many milliseconds a refused client is told to come back: later for
// each client of its own network that comes back already, and spread a little by the
// number of its connection, so that clients of different networks do not come at once.
// Clients of other networks do not make it later.
func (r *returns) refused(s *session) uint64 {
	spread := int64(s.conn.Slot()) % returnsSpread * returnSpread.Milliseconds() / returnsSpread
	return uint64(returnBase.Milliseconds() + spread + r.networks.Delay(s.peer, r.now, returnEach.Milliseconds(), returnMost.Milliseconds()))
}

// drained is after how many milliseconds the next client is told to come back that is sent
// away because this server stops. These clients have proven who they are; each is told a
// later time than the one before, up to returnMost, and then it begins anew.
func (r *returns) drained() uint64 {
	r.sent++
	after := r.sent * 1000 / returnsPerSecond % uint64(returnMost.Milliseconds())
	return uint64(returnBase.Milliseconds()) + after
}
