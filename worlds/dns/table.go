package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"gatepass/worlds"
)

// maxLogins is the maximum size of the table. A silent server stays in it until a new one
// needs the space: its name still exists, but has no address.
const maxLogins = 1024

// Errors of heartbeats.
var (
	// errFull: there are maxLogins servers, none of them silent.
	errFull = errors.New("there are too many login servers")
	// errAddress: clients cannot reach the server at its address.
	errAddress = errors.New("its address is not an ip:port that clients reach; set its advertise")
)

// login is one login server, with the data of its last heartbeat. It is never changed.
type login struct {
	target   string // its name in the zone, lower case
	addr     netip.AddrPort
	ip       net.IP // 4 or 16 bytes; shared by all answers
	record   dns.RR // its A or AAAA under target; shared by all answers
	free     uint32 // number of further clients that it has room for
	draining bool
	heard    time.Duration
}

// newLogin returns the login of a heartbeat, or an error if the heartbeat is not valid.
func (z *zone) newLogin(b *worlds.LoginBeat, now time.Duration) (login, error) {
	if err := b.Node.Validate(); err != nil {
		return login{}, err
	}
	l := login{target: b.Node.Name() + "." + z.origin, draining: b.Draining, heard: now}
	if b.Node.Kind() != worlds.KindLogin {
		return login{}, fmt.Errorf("%s is not a login server", b.Node)
	}
	if z.places[l.target] != placeNone {
		return login{}, fmt.Errorf("the zone has another use for its name")
	}
	addr, err := netip.ParseAddrPort(b.Address)
	ip := addr.Addr().Unmap()
	if err != nil || addr.Port() == 0 || worlds.CheckIP(ip) != nil {
		return login{}, errAddress
	}
	if b.Conns < b.MaxConns {
		l.free = b.MaxConns - b.Conns
	}
	l.addr, l.ip = netip.AddrPortFrom(ip, addr.Port()), net.IP(ip.AsSlice())
	l.record = addressRecord(l.target, z.ttl, l.ip)
	return l, nil
}

// healthy reports whether clients should be sent to l.
func (z *zone) healthy(l *login, now time.Duration) bool {
	return !l.draining && now-l.heard <= z.forgetAfter
}

// with returns a copy of the table with l added or replaced. was is the replaced login, nil if
// there was none. Tables are sorted by target.
func (z *zone) with(logins []login, l login) (now []login, was *login, err error) {
	i, there := slices.BinarySearchFunc(logins, l.target, func(have login, target string) int {
		return strings.Compare(have.target, target)
	})
	if there {
		now = slices.Clone(logins)
		now[i] = l
		return now, &logins[i], nil
	}
	if len(logins) < maxLogins {
		return slices.Insert(slices.Clone(logins), i, l), nil, nil
	}
	silent := slices.IndexFunc(logins, func(have login) bool { return l.heard-have.heard > z.forgetAfter })
	if silent < 0 {
		return logins, nil, errFull
	}
	return z.with(slices.Delete(slices.Clone(logins), silent, silent+1), l)
}
