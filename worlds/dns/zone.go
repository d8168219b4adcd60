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

// Times in seconds that change only when an operator changes the set-up.
const (
	staticTTL  = 3600
	soaRefresh = 3600
	soaRetry   = 600
	soaExpire  = 86400
)

// place is what stands at a name.
type place uint8

const (
	placeNone    place = iota // there is no such name
	placeApex                 // the zone itself
	placeAlias                // another name of all login servers
	placeService              // SRV
	placeServer               // a name server
	placeEmpty                // nothing, but there are names below
	placeLogin                // one login server; not in zone.places
)

// zone is what of the answers comes from the options. It never changes.
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

// newZone reports every fault of a name at once. The options must be valid
// otherwise.
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

// add puts a name into the zone, relative to it unless it ends in a dot.
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

// addServers takes the name servers; those inside the zone must have addresses,
// or a resolver that asks for them here would lose the zone.
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

// addEmpty adds the names between the zone and those below (RFC 8020).
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

// setMailbox turns a mail address into a name (RFC 1035, 8).
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

// hostName is a name in lower case with a dot at its end. Only plain characters
// are taken, so that no name of ours has to be escaped.
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

// contains tells whether a name, in lower case, is the zone or under it.
func (z *zone) contains(name string) bool {
	if strings.Contains(name, `\`) {
		return dns.IsSubDomain(z.origin, name) // a dot of it may be part of a label
	}
	return strings.HasSuffix(name, z.origin) &&
		(len(name) == len(z.origin) || name[len(name)-len(z.origin)-1] == '.')
}

// find says what stands at a name, which must be in the zone and in lower case.
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
