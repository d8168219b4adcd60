package logic

import "net/netip"

// rateLimit bounds how often the clients of one network sign in by the native
// protocol: a password costs most of a millisecond of arithmetic, whoever asks for it,
// and a token a little. A network may use up a minute's share at once.
//
// What is kept of a network is the time at which its share would be whole again:
// one that is over is as good as none, and forgotten.
type rateLimit struct {
	whole map[netip.Prefix]int64
	// swept is when what is over was last forgotten, in milliseconds.
	swept int64
}

func newRateLimit() rateLimit { return rateLimit{whole: make(map[netip.Prefix]int64)} }

const (
	// rateNetworks is how many networks are told apart; the others share one rate.
	rateNetworks = 1 << 16
	// rateSweep is how often those are forgotten that have their share again, rateBusy
	// when there are more than half as many as there may be, in milliseconds.
	rateSweep, rateBusy = 10_000, 100
	minute              = 60_000
	// tokenShare is how many sign-ins by token count as one by password.
	tokenShare = 10
)

// networkOf is what counts as one place of clients: an address, or for IPv6 the 64
// bits that one household or host is given. Loopback is none: there are proxies and
// tests.
func networkOf(peer netip.Addr) (n netip.Prefix, limited bool) {
	if peer.IsLoopback() {
		return n, false
	}
	bits := peer.BitLen()
	if peer.Is6() {
		bits = 64
	}
	n, err := peer.Prefix(bits)
	return n, err == nil
}

// take counts one sign-in of a client at now, in milliseconds; false when its network
// has had its share of so many a minute.
func (l *rateLimit) take(peer netip.Addr, now int64, perMinute int) bool {
	network, limited := networkOf(peer)
	if !limited || perMinute == 0 {
		return true
	}
	l.sweep(now)
	if _, known := l.whole[network]; !known && len(l.whole) >= rateNetworks {
		network = netip.Prefix{} // those that find no room share one rate
	}
	next := max(l.whole[network], now) + max(1, minute/int64(perMinute))
	if next > now+minute {
		return false
	}
	l.whole[network] = next
	return true
}

// delay counts one client that is told at now, in milliseconds, to come back, and
// returns how much later than the first of its network, returnMost at most. Networks
// that cannot be told apart do not wait for each other.
func (l *rateLimit) delay(peer netip.Addr, now int64) int64 {
	network, limited := networkOf(peer)
	if !limited {
		return 0
	}
	l.sweep(now)
	whole, known := l.whole[network]
	if !known && len(l.whole) >= rateNetworks {
		return 0
	}
	ahead := min(max(0, whole-now), returnMost.Milliseconds())
	l.whole[network] = now + ahead + returnEach.Milliseconds()
	return ahead
}

func (l *rateLimit) sweep(now int64) {
	every := int64(rateSweep)
	if len(l.whole) > rateNetworks/2 {
		every = rateBusy
	}
	if now-l.swept < every {
		return
	}
	l.swept = now
	for network, whole := range l.whole {
		if whole <= now {
			delete(l.whole, network)
		}
	}
}

// refuseTooOften refuses clients that sign in by the native protocol too often. A token
// counts a tenth of a password. Existing clients cost less and do not count.
func refuseTooOften(c *Core, s *session) (Verdict, endReason) {
	limit, most := &c.signIns, c.options.SignInsPerMinute
	switch s.method {
	case byNativePassword:
	case byToken:
		limit, most = &c.tokens, tokenShare*most
	default:
		return VerdictPass, 0
	}
	if limit.take(s.peer, c.now, most) {
		return VerdictPass, 0
	}
	return VerdictRefused, endBusy
}
