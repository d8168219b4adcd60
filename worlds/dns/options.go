package dns

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"gatepass/deadline"
	"gatepass/worlds"
)

// Defaults of Options.
const (
	DefaultTTL         = 5 * time.Second
	DefaultService     = "_gatepass._tcp"
	DefaultForgetAfter = 3 * time.Second
	DefaultMaxAnswers  = 8
	DefaultRateLimit   = 50
	DefaultMaxConns    = 256
	DefaultIdleTimeout = 10 * time.Second
)

// maxMaxAnswers keeps every answer far below the 64 KiB of a message.
const maxMaxAnswers = 64

// Options configure the server. Zone, Listen and NS have no defaults. Names are not
// case-sensitive. A dot at the end is optional, except in Names.
type Options struct {
	// Zone is the name that is delegated to this server: "login.example.org.".
	Zone string
	// Listen is host:port for both UDP and TCP. Port 0 chooses a free one. On a host with
	// several addresses a reply is sent from the address that the question was sent to.
	Listen string
	// TTL is the time for which resolvers may keep an answer, also a negative one, in whole
	// seconds, 1 s … 1 h. For that time clients may still come to a server that drains.
	TTL time.Duration
	// NS are the zone's name servers, with the names that the parent zone has, at least one.
	// The first is also in the SOA.
	NS []string
	// Glue has the addresses, by name, of the name servers that are inside the zone. Each of
	// them needs at least one address.
	Glue map[string][]netip.Addr
	// Hostmaster is the mail address in the SOA; empty for hostmaster@<zone>.
	Hostmaster string
	// Names are further names for all login servers, either relative to the zone ("eu"), or
	// absolute with a dot at the end.
	Names []string
	// Service is the name in the zone of the SRV records.
	Service string
	// ForgetAfter is the time without a heartbeat after which a login server is no longer
	// named.
	ForgetAfter time.Duration
	// MaxAnswers is the maximum number of login servers in one answer, 1 … 64.
	MaxAnswers int
	// RateLimit is the maximum number of UDP responses per second to one network, an IPv4 /24
	// or an IPv6 /56; negative for no limit. Of the responses beyond it every second one is
	// sent empty and truncated, so that real clients retry over TCP; the others are dropped.
	RateLimit int
	// RateBurst is the number of responses that may come at once; 0 for twice the RateLimit.
	RateBurst int
	// MaxConns is the maximum number of open TCP connections; one network may have an eighth
	// of them. Further ones are closed at once.
	MaxConns int
	// IdleTimeout is the maximum time between two questions on a TCP connection.
	IdleTimeout time.Duration
	// Clock is the clock for heartbeats and rates. Now is the time of day, from which the
	// zone's serial number comes. Random returns 64 uniform random bits. All are called from
	// several goroutines at once. Nil for the machine's: deadline.Now and time.Now.
	Clock  func() time.Duration
	Now    func() time.Time
	Random func() uint64
	// Logger gets changes of login servers; nil drops them. Questions are counted, not logged.
	Logger *slog.Logger
}

// EnsureDefaults sets zero fields to their defaults.
func (o *Options) EnsureDefaults() {
	o.TTL = orDefault(o.TTL, DefaultTTL)
	o.Service = orDefault(o.Service, DefaultService)
	o.ForgetAfter = orDefault(o.ForgetAfter, DefaultForgetAfter)
	o.MaxAnswers = orDefault(o.MaxAnswers, DefaultMaxAnswers)
	o.RateLimit = orDefault(o.RateLimit, DefaultRateLimit)
	o.RateBurst = orDefault(o.RateBurst, 2*o.RateLimit)
	o.MaxConns = orDefault(o.MaxConns, DefaultMaxConns)
	o.IdleTimeout = orDefault(o.IdleTimeout, DefaultIdleTimeout)
	o.Hostmaster = orDefault(o.Hostmaster, "hostmaster@"+strings.TrimSuffix(o.Zone, "."))
	o.Logger = orDefault(o.Logger, slog.New(slog.DiscardHandler))
	if o.Clock == nil {
		o.Clock = deadline.Now
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Uint64
	}
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// ParseNS returns the values of Options.NS and Options.Glue for name servers as operators
// write them: "ns1.example.org" or, for one inside the zone,
// "ns1.login.example.org=192.0.2.53,2001:db8::53".
func ParseNS(values []string) (names []string, glue map[string][]netip.Addr, err error) {
	glue = make(map[string][]netip.Addr)
	for _, value := range values {
		name, list, has := strings.Cut(value, "=")
		names = append(names, name)
		if !has {
			continue
		}
		for text := range strings.SplitSeq(list, ",") {
			addr, err := netip.ParseAddr(text)
			if err != nil || addr.Zone() != "" {
				return nil, nil, fmt.Errorf("dns: name server %s: %q is not an IP address", name, text)
			}
			if err := worlds.CheckIP(addr); err != nil {
				return nil, nil, fmt.Errorf("dns: name server %s: %w", name, err)
			}
			glue[name] = append(glue[name], addr)
		}
	}
	return names, glue, nil
}

// Validate reports every fault at once, except faults of names, which New reports. A zero
// field is a fault; call EnsureDefaults first.
func (o *Options) Validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("dns: "+format, args...))
		}
	}
	_, _, err := net.SplitHostPort(o.Listen)
	fault(err != nil, "listen: %q is not host:port", o.Listen)
	fault(o.TTL < time.Second || o.TTL > time.Hour || o.TTL%time.Second != 0, "ttl: %v is not in whole seconds, 1s to 1h", o.TTL)
	fault(len(o.NS) == 0, "ns: no name server given")
	fault(o.ForgetAfter < 10*time.Millisecond, "forget after: %v is below 10ms", o.ForgetAfter)
	fault(o.MaxAnswers < 1 || o.MaxAnswers > maxMaxAnswers, "answers: %d is not in 1 to %d", o.MaxAnswers, maxMaxAnswers)
	fault(o.RateLimit > 0 && o.RateBurst < 1, "rate burst: %d is below 1", o.RateBurst)
	fault(o.MaxConns < 1, "connections: %d is below 1", o.MaxConns)
	fault(o.IdleTimeout < 10*time.Millisecond, "idle timeout: %v is below 10ms", o.IdleTimeout)
	return errors.Join(faults...)
}
