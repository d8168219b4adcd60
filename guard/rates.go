package guard

import "net/netip"

// Rates limits how many events a minute each network may cause. A network may use a minute's
// share at once. Times are milliseconds. Use NewRates; the zero value is not usable.
type Rates struct {
	// whole is the time at which a network's share is complete again.
	whole map[netip.Prefix]int64
	// swept is the time at which expired entries were last removed.
	swept int64
}

// NewRates returns an empty Rates.
func NewRates() Rates { return Rates{whole: make(map[netip.Prefix]int64)} }

// MaxNetworks is how many networks a Rates counts separately; the others share one rate.
const MaxNetworks = 1 << 16

const (
	// sweepEvery is how often expired entries are removed, and sweepBusy how often while there
	// are more than half of MaxNetworks, in milliseconds. The second is short so that a flood
	// of networks does not make the others share one rate.
	sweepEvery, sweepBusy = 10_000, 100
	// minute is in milliseconds.
	minute = 60_000
)

// MaxPerMinute is the highest rate that a Rates counts exactly: one event a millisecond.
const MaxPerMinute = minute

// Take counts one event of a client at now. If the client's network has used its perMinute
// events, it returns false and counts nothing. perMinute 0 means no limit.
func (r *Rates) Take(peer netip.Addr, now int64, perMinute int) bool {
	network := Network(peer)
	if !network.IsValid() || perMinute == 0 {
		return true
	}
	r.sweep(now)
	if _, known := r.whole[network]; !known && len(r.whole) >= MaxNetworks {
		network = netip.Prefix{} // the rate that the remaining networks share
	}
	whole, ok := spend(r.whole[network], now, max(1, minute/int64(perMinute)), minute)
	if ok {
		r.whole[network] = whole
	}
	return ok
}

// Delay counts one event of a client at now and returns how long after now it may happen, at
// most most. The events of one network are then each apart. Networks beyond MaxNetworks do not
// wait for each other.
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

// Len returns how many networks have an entry.
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

// spend takes cost from a share that is complete at whole and holds depth. It returns the time
// at which the share is complete again, or false when the share holds less than cost.
func spend(whole, now, cost, depth int64) (int64, bool) {
	whole = max(whole, now) + cost
	return whole, whole-now <= depth
}
