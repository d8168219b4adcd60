package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Times in seconds for records that change only when an operator changes the setup.
const (
	staticTTL  = 3600
	soaRefresh = 3600
	soaRetry   = 600
	soaExpire  = 86400
)

// place is the type of a name in the zone.
type place uint8

const (
	placeNone    place = iota // there is no such name
	placeApex                 // the zone itself
	placeAlias                // another name for all login servers
	placeService              // SRV
	placeServer               // a name server
	placeEmpty                // nothing, but there are names below
	placeLogin                // one login server; not in zone.places
)

// zone has the data of answers that comes from the options. It never changes.
type zone struct {
	origin      string // lower case, dot at the end
	places      map[string]place
	ns          []string
	glue        map[string][]netip.Addr // by name
	mailbox     string
	ttl         uint32 // seconds
	maxAnswers  int
	forgetAfter time.Duration
}

// newZone returns the zone of the options. It reports every fault of a name at once. All other
// options must be valid.
func newZone(o *Options) (*zone, error) {
	z := &zone{
		places: make(map[string]place), glue: make(map[string][]netip.Addr), ttl: uint32(o.TTL / time.Second),
		maxAnswers: o.MaxAnswers, forgetAfter: o.ForgetAfter,
	}
	var err error
	if z.origin, err = hostName(o.Zone); err != nil {
		return nil, fmt.Errorf("dns: zone: %w", err)
	}
	z.places[z.origin] = placeApex
	faults := []error{z.setMailbox(o.Hostmaster), z.addServers(o), z.add(o.Service, placeService)}
	for _, name := range o.Names {
		faults = append(faults, z.add(name, placeAlias))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	z.addEmpty()
	return z, nil
}

// add adds a name to the zone. The name is relative to the zone unless it ends with a dot.
func (z *zone) add(name string, what place) error {
	if !strings.HasSuffix(name, ".") {
		name += "." + z.origin
	}
	full, err := hostName(name)
	if err != nil {
		return fmt.Errorf("dns: %w", err)
	}
	if !strings.HasSuffix(full, "."+z.origin) {
		return fmt.Errorf("dns: name %q is not under the zone %s", name, z.origin)
	}
	if z.places[full] != placeNone {
		return fmt.Errorf("dns: name %s is used twice", full)
	}
	z.places[full] = what
	return nil
}

// addServers adds the name servers. Those inside the zone must have addresses: without them a
// resolver that asks here cannot reach the zone.
func (z *zone) addServers(o *Options) error {
	var faults []error
	addresses := make(map[string][]netip.Addr)
	for name, addrs := range o.Glue {
		full, err := hostName(name)
		faults = append(faults, err)
		addresses[full] = addrs
	}
	for _, name := range o.NS {
		full, err := hostName(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		z.ns = append(z.ns, full)
		if full == z.origin || !strings.HasSuffix(full, "."+z.origin) {
			continue
		}
		if len(addresses[full]) == 0 {
			faults = append(faults, fmt.Errorf("dns: name server %s is inside the zone and has no address", full))
		}
		z.glue[full] = addresses[full]
		faults = append(faults, z.add(full, placeServer))
	}
	for name := range addresses {
		if z.glue[name] == nil {
			faults = append(faults, fmt.Errorf("dns: addresses for %s, which is no name server inside the zone", name))
		}
	}
	return errors.Join(faults...)
}

// addEmpty adds the names between the zone and the names below it (RFC 8020).
func (z *zone) addEmpty() {
	names := make([]string, 0, len(z.places))
	for name := range z.places {
		names = append(names, name)
	}
	for _, name := range names {
		for name != z.origin {
			if z.places[name] == placeNone {
				z.places[name] = placeEmpty
			}
			_, name, _ = strings.Cut(name, ".")
		}
	}
}

// setMailbox sets z.mailbox to a mail address, written as a name (RFC 1035, 8).
func (z *zone) setMailbox(address string) error {
	local, domain, ok := strings.Cut(address, "@")
	host, err := hostName(domain)
	plain := func(r rune) bool { return r > ' ' && r < 0x7f && !strings.ContainsRune(`"\;()@`, r) }
	if !ok || err != nil || local == "" || len(local) > 63 || strings.ContainsFunc(local, func(r rune) bool { return !plain(r) }) {
		return fmt.Errorf("dns: hostmaster: %q is not a mail address", address)
	}
	z.mailbox = strings.ReplaceAll(local, ".", `\.`) + "." + host
	return nil
}

// hostName returns a name in lower case with a dot at its end. It accepts only plain
// characters, so that no name needs escapes.
func hostName(name string) (string, error) {
	full := strings.ToLower(strings.TrimSuffix(name, "."))
	for label := range strings.SplitSeq(full, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notHost) {
			return "", fmt.Errorf("%q is not a domain name", name)
		}
	}
	if len(full) > 253 {
		return "", fmt.Errorf("%q is too long for a domain name", name)
	}
	return full + ".", nil
}

func notHost(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
}

// contains reports whether a name, in lower case, is the zone or is under it.
func (z *zone) contains(name string) bool {
	if strings.Contains(name, `\`) {
		return dns.IsSubDomain(z.origin, name) // not a comparison of suffixes: a dot may be part of a label
	}
	return strings.HasSuffix(name, z.origin) &&
		(len(name) == len(z.origin) || name[len(name)-len(z.origin)-1] == '.')
}

// find returns the type of a name and, for placeLogin, its login. The name must be in the zone
// and in lower case.
func (z *zone) find(name string, logins []login) (place, *login) {
	if p := z.places[name]; p != placeNone {
		return p, nil
	}
	i, there := slices.BinarySearchFunc(logins, name, func(l login, name string) int {
		return strings.Compare(l.target, name)
	})
	if there {
		return placeLogin, &logins[i]
	}
	return placeNone, nil
}
