package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"gatepass/worlds/dns"
)

// DNSOptions returns the options of the zone. If no name server is configured, the zone
// has one at the address where it listens.
func (c *Config) DNSOptions() (o dns.Options, err error) {
	d := &c.DNS
	if d.Zone == "" {
		return o, errors.New("dns.zone: a zone is needed, such as login.example.org")
	}
	servers := d.NS
	if host, _, err := net.SplitHostPort(d.Listen); len(servers) == 0 && err == nil {
		if ip, err := netip.ParseAddr(host); err != nil || ip.IsUnspecified() {
			return o, fmt.Errorf("dns.ns: %s says not at which address the zone's name server is asked; write --dns.ns ns1.%s=192.0.2.53", d.Listen, d.Zone)
		}
		servers = []string{"ns1." + d.Zone + "=" + host}
	}
	o = dns.Options{
		Zone: d.Zone, Listen: d.Listen, TTL: d.TTL, Hostmaster: d.Hostmaster, Names: d.Names, Service: d.Service,
		ForgetAfter: d.ForgetAfter, MaxAnswers: d.MaxAnswers, RateLimit: d.RateLimit,
	}
	o.NS, o.Glue, err = dns.ParseNS(servers)
	return o, err
}
