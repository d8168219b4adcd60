package bus

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/deadline"
	"gatepass/worlds"
)

// ManagerOptions configure a manager.
type ManagerOptions struct {
	// Heartbeat, Missed and Refresh are those of worlds.ManagerOptions,
	// SecondLogin that of worlds.DirectoryOptions.
	Heartbeat   time.Duration
	Missed      int
	Refresh     time.Duration
	SecondLogin worlds.SecondLogin
	// Lease is how long the leader may be silent before another takes over; 0 is
	// 3 s. It is renewed three times as often, with one disk sync each.
	Lease time.Duration
	// LoginGone is after which silence, of any sort, the keys of a login server or
	// of a world that has left the list are forgotten; those of a world that has
	// missed its heartbeats are after as long a silence as that took. 0 is 30 s. It is longer than the bus takes to notice a dead connection, so
	// that whoever is still alive has connected again, and announces anew.
	LoginGone time.Duration
	// Logger takes what operators should know; nil takes the connection's.
	Logger *slog.Logger
	// OnLead is told when this manager begins or ends to lead; may be nil.
	OnLead func(leads bool)
	// Monitor, if set, is told what the manager counts.
	Monitor *Monitor
	// Now is the wall clock, of which epochs are made; nil is time.Now. Clock is what
	// leases and silences are measured by; nil is deadline.Now. Random is what tells
	// processes apart; nil is the system's.
	Now    func() time.Time
	Clock  func() time.Duration
	Random io.Reader
}

func (o *ManagerOptions) ensureDefaults(c *Conn) {
	core := worlds.ManagerOptions{HeartbeatEvery: o.Heartbeat, Missed: o.Missed, RefreshEvery: o.Refresh}
	core.EnsureDefaults()
	o.Heartbeat, o.Missed, o.Refresh = core.HeartbeatEvery, core.Missed, core.RefreshEvery
	if o.Lease == 0 {
		o.Lease = 3 * time.Second
	}
	if o.LoginGone == 0 {
		o.LoginGone = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = c.log
	}
	if o.OnLead == nil {
		o.OnLead = func(bool) {}
	}
	if o.Monitor == nil {
		o.Monitor = &Monitor{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Clock == nil {
		o.Clock = deadline.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
}

// Monitor shows what a manager counts. Its zero value is ready.
type Monitor struct {
	leads     atomic.Bool
	terms     atomic.Uint64
	stores    atomic.Uint64
	failures  atomic.Uint64
	failing   atomic.Int64 // since when, by deadline.Now; 0 for not
	dropped   atomic.Uint64
	twins     atomic.Uint64
	worlds    atomic.Pointer[worlds.ManagerStats]
	directory atomic.Pointer[worlds.DirectoryStats]
	logins    atomic.Int64
}

// ManagerStats are what a Monitor shows, as of the last second.
type ManagerStats struct {
	// Leads tells whether this manager leads; what follows is 0 where it does
	// not. Terms counts how often it has begun to.
	Leads bool
	Terms uint64
	// Stores counts changes of the list that were stored durably. StoreFailures counts
	// attempts to write the list or the lease that failed though the bus was there.
	Stores, StoreFailures uint64
	// FailingSince is when storing began to fail, zero while it does not: the disk of
	// the bus is full or broken.
	FailingSince time.Time
	// Dropped counts messages of nodes that sent more than their share.
	Dropped uint64
	// Twins counts heartbeats of login servers that share their name with another.
	Twins     uint64
	Worlds    worlds.ManagerStats
	Directory worlds.DirectoryStats
	// Logins is how many login servers are heard.
	Logins int
}

// Stats reads the counters; anywhere.
func (m *Monitor) Stats() ManagerStats {
	s := ManagerStats{Leads: m.leads.Load(), Terms: m.terms.Load(), Stores: m.stores.Load(), StoreFailures: m.failures.Load(), Dropped: m.dropped.Load(), Twins: m.twins.Load()}
	if since := m.failing.Load(); since != 0 {
		s.FailingSince = time.Now().Add(time.Duration(since) - deadline.Now())
	}
	if w, d := m.worlds.Load(), m.directory.Load(); s.Leads && w != nil && d != nil {
		s.Worlds, s.Directory, s.Logins = *w, *d, int(m.logins.Load())
	}
	return s
}

// How often a manager tries, and tells.
const (
	// pulseEvery is the time between two signs of life of the leader.
	pulseEvery = time.Second
	// standMin and standMax bound the pause before a manager stands again after
	// something failed: the bus may be starting.
	standMin = 100 * time.Millisecond
	standMax = time.Second
)

// RunManager is a manager until ctx ends: it waits for the lease, leads while it
// holds it, and waits again when it is lost. Trouble with the bus is logged and
// tried again, for ever; wrong credentials are an error. When it returns the
// lease is given back.
func RunManager(ctx context.Context, c *Conn, o ManagerOptions) error {
	if c.self.Kind() != worlds.KindManager {
		return fmt.Errorf("bus: %s cannot be a manager with these credentials", c.self)
	}
	o.ensureDefaults(c)
	var nonce [8]byte
	if _, err := io.ReadFull(o.Random, nonce[:]); err != nil {
		return fmt.Errorf("bus: random: %w", err)
	}
	js, err := jetstream.New(c.nats)
	if err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	if err := c.watchLeader(); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	s := &standing{conn: c, js: js, options: o, nonce: binary.BigEndian.Uint64(nonce[:])}
	s.run(ctx)
	return nil
}

// run stands for ever. The same trouble is told once.
func (s *standing) run(ctx context.Context) {
	told := ""
	for attempt := 0; ctx.Err() == nil; attempt++ {
		err := s.stand(ctx)
		switch {
		case err == nil:
			attempt, told = 0, ""
			continue
		case ctx.Err() != nil:
			return
		case errors.Is(err, errOutrun):
		case err.Error() != told:
			told = err.Error()
			s.options.Logger.Warn("bus: this manager cannot lead yet, trying on", "error", err)
		}
		sleep(ctx, backoff(attempt, standMin, standMax))
	}
}

// standing is a manager that wants to lead.
type standing struct {
	conn    *Conn
	js      jetstream.JetStream
	options ManagerOptions
	nonce   uint64
}

// stand waits for the lease and leads once. It is nil when it has led.
func (s *standing) stand(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	kv, err := s.js.KeyValue(look, bucketLease)
	if err != nil {
		err = fmt.Errorf("bus: bucket %s: %w", bucketLease, err)
		s.wrote(ctx, err)
		return err
	}
	t, err := openTable(look, s.js)
	if err != nil {
		s.wrote(ctx, err)
		return err
	}
	l := &lease{
		kv: kv, self: s.conn.self, length: s.options.Lease,
		clock: s.options.Clock, wall: s.options.Now, nonce: hex64(s.nonce),
		wrote: func(err error) { s.wrote(ctx, err) },
	}
	if err := l.campaign(ctx); err != nil {
		return err
	}
	return s.lead(ctx, l, t)
}

// wrote notes how an attempt to write the lease, or to find it, has ended. When it is
// written, by whomever, somebody leads and the store works.
func (s *standing) wrote(ctx context.Context, err error) {
	switch {
	case err == nil:
		s.conn.leader.hear(s.conn.clock())
		s.options.Monitor.failing.Store(0)
	case ctx.Err() == nil && s.conn.Up():
		s.options.Monitor.failed()
	}
}

// failed notes that something could not be stored.
func (m *Monitor) failed() {
	m.failures.Add(1)
	m.failing.CompareAndSwap(0, int64(deadline.Now()))
}

// lead keeps the lease and reigns until one of both ends.
func (s *standing) lead(ctx context.Context, l *lease, t *table) error {
	reign, stop := context.WithCancel(ctx)
	defer stop()
	var keeping sync.WaitGroup
	keeping.Go(func() {
		defer stop()
		if err := l.keep(reign); err != nil {
			s.options.Logger.Warn("bus: this manager does not lead any more", "epoch", l.epoch, "error", err)
		}
	})
	err := s.reign(reign, l, t)
	stop()
	keeping.Wait()
	if ctx.Err() == nil && !l.held() {
		return nil
	}
	return errors.Join(err, l.release())
}

// reign leads while the lease is held.
func (s *standing) reign(ctx context.Context, l *lease, t *table) error {
	key, err := openVoucherKey(ctx, l.kv, s.options.Random)
	if err != nil {
		return err
	}
	defer key.Wipe()
	return newReign(s, l, t, key).run(ctx)
}
