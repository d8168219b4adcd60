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

// DNS starts the role of a DNS server.
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

// lastBeats has the last heartbeat of each login server. It repeats them while the
// connection to the bus is lost, because no heartbeat can arrive then: a zone that may name
// a dead server is better than a zone without answers.
type lastBeats struct {
	server *dns.Server
	conn   *bus.Conn
	forget time.Duration

	mu   sync.Mutex
	last map[worlds.Node]heardBeat // guarded by mu
}

// heardBeat is a heartbeat and when it arrived.
type heardBeat struct {
	worlds.LoginBeat
	at time.Duration // by deadline.Now
}

// beat stores a heartbeat and passes it on. Any goroutine.
func (l *lastBeats) beat(b worlds.LoginBeat) {
	l.server.Beat(b)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[b.Node] = heardBeat{b, deadline.Now()}
}

// run calls repeat at the interval of heartbeats, until ctx ends.
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

// repeat repeats the heartbeats if the bus is not connected (up). If it is, it forgets those
// that are too old.
func (l *lastBeats) repeat(up bool, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for node, b := range l.last {
		switch {
		case !up:
			l.last[node] = heardBeat{b.LoginBeat, now}
			l.server.Beat(b.LoginBeat)
		case now-b.at > l.forget:
			delete(l.last, node) // the login server sent none although the bus was connected
		}
	}
}
