package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/dns"
)

func dnsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dns",
		Short: "Run an authoritative DNS server for the login servers' zone",
		Long: `Run an authoritative DNS server: the name of its zone leads clients to a login
server that is healthy, the emptier ones more often. Login servers tell it of
themselves; one that drains or falls silent is left out at once.

Delegate the zone to it (docs/dns.md), and give it credentials of its own:
    gatepass bus add dns.NAME`,
		Example: `  gatepass dns --dns.zone login.example.org                      # on 127.0.0.1:5353, to try it
  gatepass dns --dns.zone login.example.org --dns.listen 0.0.0.0:53 --dns.ns ns1.login.example.org=198.51.100.5
  dig @127.0.0.1 -p 5353 login.example.org A`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags(), map[string]any{"node": "a", "admin": "127.0.0.1:9727"})
			if err != nil {
				return err
			}
			return runProcess(cmd, c, startDNSProcess)
		},
	}
	commonFlags(cmd.Flags())
	cmd.Flags().String("node", "a", "`NAME` of this DNS server in its region")
	cmd.Flags().String("dns.zone", "", "the `ZONE` it answers for, such as login.example.org")
	cmd.Flags().String("dns.listen", "127.0.0.1:5353", "`HOST:PORT` for UDP and TCP")
	cmd.Flags().StringSlice("dns.ns", nil, "the zone's name servers, `NAME` or NAME=IP; default ns1, where it listens")
	cmd.Flags().String("dns.hostmaster", "", "mail address in the SOA")
	cmd.Flags().Duration("dns.ttl", 5*time.Second, "how long resolvers may keep an answer")
	cmd.Flags().Lookup("admin").DefValue = "127.0.0.1:9727"
	return cmd
}

// startDNSProcess is the story of a DNS server alone in its process.
func startDNSProcess(ctx context.Context, p *process) error {
	o, err := p.config.dnsOptions()
	if err != nil {
		return usageError{err}
	}
	conn, err := connectBus(ctx, p, worlds.Node(worlds.KindDNS+"."+p.config.Node), nil)
	if err != nil {
		return err
	}
	o.Logger = p.log.With("part", "dns")
	server, err := dns.New(o)
	if err != nil {
		return usageError{err}
	}
	if err := server.Start(); err != nil {
		return err
	}
	p.add(part{name: "dns", close: server.Close, metrics: dnsCollector{server}})
	beats := &lastBeats{server: server, conn: conn, forget: o.ForgetAfter, last: make(map[worlds.Node]heardBeat)}
	stop, err := conn.WatchLogins(beats.beat)
	if err != nil {
		return err
	}
	repeats, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); beats.run(repeats) }()
	p.add(part{name: "login servers", close: func() error { stop(); cancel(); <-ended; return nil }})
	p.say("dns", server.Addr(), "zone", o.Zone)
	return nil
}

// dnsOptions are the zone's. Without a name server the zone has one, where it
// listens.
func (c *config) dnsOptions() (o dns.Options, err error) {
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

// lastBeats are the last heartbeats of the login servers. While the bus is away
// they are repeated: nobody can be heard then, and a zone without answers would be
// worse than one that may name a dead server.
type lastBeats struct {
	server *dns.Server
	conn   *bus.Conn
	forget time.Duration

	mu   sync.Mutex
	last map[worlds.Node]heardBeat // guarded by mu
}

type heardBeat struct {
	worlds.LoginBeat
	at time.Duration // by deadline.Now
}

// beat takes a heartbeat. Any goroutine.
func (l *lastBeats) beat(b worlds.LoginBeat) {
	l.server.Beat(b)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[b.Node] = heardBeat{b, deadline.Now()}
}

// run repeats them while the bus is away, until ctx ends.
func (l *lastBeats) run(ctx context.Context) {
	ticker := time.NewTicker(bus.LoginBeatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.repeat(l.conn.Up(), deadline.Now())
		case <-ctx.Done():
			return
		}
	}
}

func (l *lastBeats) repeat(up bool, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for node, b := range l.last {
		switch {
		case !up:
			l.last[node] = heardBeat{b.LoginBeat, now}
			l.server.Beat(b.LoginBeat)
		case now-b.at > l.forget:
			delete(l.last, node) // it fell silent while it could have been heard
		}
	}
}
