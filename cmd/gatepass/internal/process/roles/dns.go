package roles

import (
	"context"
	"sync"
	"time"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/dns"
)

// DNS is the story of a DNS server alone in its process.
func DNS(ctx context.Context, p *process.Process) error {
	o, err := p.Config.DNSOptions()
	if err != nil {
		return exit.Usage(err)
	}
	conn, err := p.ConnectBus(ctx, worlds.Node(worlds.KindDNS+"."+p.Config.Node), nil)
	if err != nil {
		return err
	}
	o.Logger = p.Log.With("part", "dns")
	server, err := dns.New(o)
	if err != nil {
		return exit.Usage(err)
	}
	if err := server.Start(); err != nil {
		return err
	}
	p.Add(process.Part{Name: "dns", Close: server.Close, Metrics: dnsCollector{server}})
	beats := &lastBeats{server: server, conn: conn, forget: o.ForgetAfter, last: make(map[worlds.Node]heardBeat)}
	stop, err := conn.WatchLogins(beats.beat)
	if err != nil {
		return err
	}
	repeats, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); beats.run(repeats) }()
	p.Add(process.Part{Name: "login servers", Close: func() error { stop(); cancel(); <-ended; return nil }})
	p.Say("dns", server.Addr(), "zone", o.Zone)
	return nil
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
