package lead

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// ManagerOptions configure a manager.
type ManagerOptions struct {
	// Heartbeat, Missed and Refresh belong to worlds.ManagerOptions, SecondLogin to
	// worlds.DirectoryOptions.
	Heartbeat   time.Duration
	Missed      int
	Refresh     time.Duration
	SecondLogin worlds.SecondLogin
	// Lease is how long the leader may be silent before another manager takes over; 0 is
	// 3 s. The lease is renewed three times in its length, with one disk sync each.
	Lease time.Duration
	// LoginGone is the silence after which the directory forgets the keys of a login
	// server, or of a world that has left the list; 0 is 30 s. A world that has missed its
	// heartbeats is forgotten after Heartbeat times Missed. LoginGone is longer than the
	// bus takes to notice a dead connection, so that a node that is alive has connected
	// again and has announced its keys.
	LoginGone time.Duration
	// Logger takes messages for operators; nil takes the connection's.
	Logger *slog.Logger
	// OnLead is called when this manager begins or ceases to lead; may be nil.
	OnLead func(leads bool)
	// Monitor, if set, gets the manager's counters.
	Monitor *Monitor
	// Now is the wall clock, for epochs; nil is time.Now. Clock measures leases and
	// silences; nil is deadline.Now. Random draws the voucher key and a nonce for this
	// process; nil is the system's random source.
	Now    func() time.Time
	Clock  func() time.Duration
	Random io.Reader
}

func (o *ManagerOptions) ensureDefaults(c *bus.Conn) {
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
		o.Logger = c.Logger()
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

// Times of a manager.
const (
	// pulseEvery is the time between two signs of life of the leader.
	pulseEvery = time.Second
	// retryMin and retryMax bound the pause after a failed attempt to lead: the bus may be
	// starting.
	retryMin = 100 * time.Millisecond
	retryMax = time.Second
)

// RunManager runs a manager until ctx ends: it waits for the lease, leads while it holds
// the lease, and waits again when it has lost it. An error of the bus is logged and tried
// again, without end. The result is an error only for credentials of another kind of node
// and for a closed connection. RunManager gives the lease back before it returns.
func RunManager(ctx context.Context, c *bus.Conn, o ManagerOptions) error {
	if c.Self().Kind() != worlds.KindManager {
		return fmt.Errorf("bus: %s cannot be a manager with these credentials", c.Self())
	}
	o.ensureDefaults(c)
	var nonce [8]byte
	if _, err := io.ReadFull(o.Random, nonce[:]); err != nil {
		return fmt.Errorf("bus: random: %w", err)
	}
	js, err := jetstream.New(c.Client())
	if err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	if err := c.WatchLeader(); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	m := &candidate{conn: c, js: js, options: o, nonce: binary.BigEndian.Uint64(nonce[:])}
	m.run(ctx)
	return nil
}

// candidate is a manager that leads or waits to lead.
type candidate struct {
	conn    *bus.Conn
	js      jetstream.JetStream
	options ManagerOptions
	nonce   uint64
}

// run leads again and again until ctx ends. It logs an error once until it has led.
func (m *candidate) run(ctx context.Context) {
	told := ""
	for attempt := 0; ctx.Err() == nil; attempt++ {
		err := m.campaign(ctx)
		switch {
		case err == nil:
			attempt, told = 0, ""
			continue
		case ctx.Err() != nil:
			return
		case errors.Is(err, errTakenOver):
		case err.Error() != told:
			told = err.Error()
			m.options.Logger.Warn("bus: this manager cannot lead yet, trying again", "error", err)
		}
		retry.Sleep(ctx, retry.Backoff(attempt, retryMin, retryMax))
	}
}

// campaign waits for the lease and leads for one term. It returns nil when the term is over.
func (m *candidate) campaign(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, bus.RequestTimeout)
	defer cancel()
	kv, err := m.js.KeyValue(look, wire.BucketLease)
	if err != nil {
		err = fmt.Errorf("bus: bucket %s: %w", wire.BucketLease, err)
		m.wrote(ctx, err)
		return err
	}
	t, err := openTable(look, m.js)
	if err != nil {
		m.wrote(ctx, err)
		return err
	}
	l := &lease{
		kv: kv, self: m.conn.Self(), length: m.options.Lease,
		clock: m.options.Clock, wall: m.options.Now, nonce: wire.Hex64(m.nonce),
		wrote: func(err error) { m.wrote(ctx, err) },
	}
	if err := l.campaign(ctx); err != nil {
		return err
	}
	return m.lead(ctx, l, t)
}

// wrote notes the result of an attempt to find or write the lease. If any manager has
// written the lease, a leader exists and the store works.
func (m *candidate) wrote(ctx context.Context, err error) {
	switch {
	case err == nil:
		m.conn.HeardLeader()
		m.options.Monitor.failing.Store(0)
	case ctx.Err() == nil && m.conn.Up():
		m.options.Monitor.failed()
	}
}

// lead renews the lease and serves a term until either ends.
func (m *candidate) lead(ctx context.Context, l *lease, t *table) error {
	term, stop := context.WithCancel(ctx)
	defer stop()
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer stop()
		if err := l.keep(term); err != nil {
			m.options.Logger.Warn("bus: this manager no longer leads", "epoch", l.epoch, "error", err)
		}
	})
	err := m.serve(term, l, t)
	stop()
	renewing.Wait()
	if ctx.Err() == nil && !l.held() {
		return nil
	}
	return errors.Join(err, l.release())
}

// serve serves a term while the lease is held.
func (m *candidate) serve(ctx context.Context, l *lease, t *table) error {
	key, err := openVoucherKey(ctx, l.kv, m.options.Random)
	if err != nil {
		return err
	}
	defer key.Wipe()
	return newTerm(m, l, t, key).run(ctx)
}
