package guard

import "net/netip"

// Rates limits how many events a minute each network may cause. A network may use up a
// minute's share at once. Times are milliseconds. The zero value is not usable; see
// NewRates.
type Rates struct {
	// whole is when a network's share is whole again.
	whole map[netip.Prefix]int64
	// swept is when entries that are over were last removed.
	swept int64
}

// NewRates returns an empty Rates.
func NewRates() Rates { return Rates{whole: make(map[netip.Prefix]int64)} }

// MaxNetworks is how many networks a Rates tells apart; the others share one rate.
const MaxNetworks = 1 << 16

const (
	// sweepEvery is how often entries are removed whose share is whole again, and
	// sweepBusy how often while there are more than half of MaxNetworks, in milliseconds:
	// a flood of networks must not make the others share one rate.
	sweepEvery, sweepBusy = 10_000, 100
	// minute is in milliseconds.
	minute = 60_000
)

// MaxPerMinute is the highest rate that a Rates counts exactly: one a millisecond.
const MaxPerMinute = minute

// Take counts one event of a client at now. It returns false, and counts nothing, when
// the client's network has used up its perMinute; 0 is no limit.
func (r *Rates) Take(peer netip.Addr, now int64, perMinute int) bool {
	network := Network(peer)
	if !network.IsValid() || perMinute == 0 {
		return true
	}
	r.sweep(now)
	if _, known := r.whole[network]; !known && len(r.whole) >= MaxNetworks {
		network = netip.Prefix{} // the rate that the others share
	}
	whole, ok := spend(r.whole[network], now, max(1, minute/int64(perMinute)), minute)
	if ok {
		r.whole[network] = whole
	}
	return ok
}

// Delay counts one event of a client at now and returns how long after now it may
// happen, so that those of one network are each apart: at most most. Networks beyond
// MaxNetworks do not wait for each other.
func (r *Rates) Delay(peer netip.Addr, now, each, most int64) int64 {
	network := Network(peer)
	if !network.IsValid() {
		return 0
	}
	r.sweep(now)
	whole, known := r.whole[network]
	if !known && len(r.whole) >= MaxNetworks {
		return 0
	}
	ahead := min(max(0, whole-now), most)
	r.whole[network] = now + ahead + each
	return ahead
}

// Len is how many networks are kept.
func (r *Rates) Len() int { return len(r.whole) }

func (r *Rates) sweep(now int64) {
	every := int64(sweepEvery)
	if len(r.whole) > MaxNetworks/2 {
		every = sweepBusy
	}
	if now-r.swept < every {
		return
	}
	r.swept = now
	for network, whole := range r.whole {
		if whole <= now {
			delete(r.whole, network)
		}
	}
}

// spend takes cost out of a share that is whole at that time and that holds depth. It
// returns when the share is whole again; false when there is less than cost in it.
func spend(whole, now, cost, depth int64) (int64, bool) {
	whole = max(whole, now) + cost
	return whole, whole-now <= depth
}
