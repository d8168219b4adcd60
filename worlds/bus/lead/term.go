package lead

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/guard"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// term is the time in which a manager leads. Two goroutines serve it: one for the list of
// worlds and the login servers, one for the directory. So no client waits at a gate while a
// world is being stored.
type term struct {
	// static after construction
	conn     *bus.Conn
	lease    *lease
	options  ManagerOptions
	table    *table
	started  time.Duration // by options.Clock
	subs     []*nats.Subscription
	list     *fairQueue
	keys     *fairQueue
	presence *presence
	listed   listedWorlds
	// voucherKey is the region's; owned by the goroutine of the list while that runs.
	voucherKey worlds.Secret

	// owned by the goroutine of the list
	manager *worlds.Manager
	logins  logins
	pulsed  int64
	twins   guard.Pace // paces the log lines about login servers with the same name
	refused map[uint8]*retry.Report

	// owned by the goroutine of the directory
	directory *worlds.Directory
	entries   []worlds.Announcement
	unvouched map[worlds.Node]*retry.Report
}

func newTerm(c *candidate, l *lease, t *table, key worlds.Secret) *term {
	o := c.options
	r := &term{
		conn: c.conn, lease: l, options: o, table: t, started: o.Clock(),
		list: newFairQueue(), keys: newFairQueue(), presence: newPresence(), voucherKey: key,
		manager: worlds.NewManager(worlds.ManagerOptions{
			Epoch: l.epoch, HeartbeatEvery: o.Heartbeat, Missed: o.Missed, RefreshEvery: o.Refresh,
		}),
		refused:   make(map[uint8]*retry.Report),
		logins:    logins{heard: make(map[worlds.Node]heardLogin)},
		unvouched: make(map[worlds.Node]*retry.Report),
	}
	r.directory = worlds.NewDirectory(worlds.DirectoryOptions{
		SecondLogin: o.SecondLogin, Vouchers: worlds.NewVouchers(&key), Registered: r.listed.has,
	})
	return r
}

// now returns the time for the cores, in milliseconds since the term began, plus 1: for the
// cores 0 means never.
func (r *term) now() int64 { return (r.options.Clock() - r.started).Milliseconds() + 1 }

// run leads until ctx ends or the lease is over.
func (r *term) run(ctx context.Context) error {
	if err := r.table.fence(ctx, r.lease.epoch); err != nil {
		return err
	}
	records, err := r.table.load(ctx, r.options.Logger)
	if err != nil {
		return err
	}
	if left := r.manager.Restore(records, r.now()); left > 0 {
		r.options.Logger.Error("bus: stored worlds that conflict with others are ignored", "worlds", left)
	}
	r.listed.follow(r.manager)
	// Subscribe before the first pulse: the pulse makes nodes announce their keys.
	if err := r.listen(); err != nil {
		return err
	}
	defer r.unlisten()
	r.options.Logger.Info("bus: this manager leads", "epoch", r.lease.epoch, "worlds", len(records))
	r.options.Monitor.leads.Store(true)
	r.options.Monitor.terms.Add(1)
	r.options.OnLead(true)
	var serving sync.WaitGroup
	serving.Go(func() { r.serveList(ctx) })
	serving.Go(func() { r.serveKeys(ctx) })
	serving.Wait()
	r.options.Monitor.leads.Store(false)
	r.options.OnLead(false)
	return nil
}

// listen subscribes to the requests and reports of nodes.
func (r *term) listen() error {
	for subject, into := range map[string]*fairQueue{
		wire.PrefixWorld + "*" + wire.SuffixRegister: r.list,
		wire.PrefixWorld + "*" + wire.SuffixBeat:     r.list,
		wire.PrefixLogin + "*" + wire.SuffixBeat:     r.list,
		wire.SubjectSnapshot:                         r.list,
		wire.SubjectReset:                            r.list,
		wire.SubjectLogins:                           r.list,
		wire.PrefixAnnounce + "*.*":                  r.keys,
		wire.PrefixLocate + "*.*":                    r.keys,
		wire.PrefixEndAsked + "*.*":                  r.keys,
	} {
		s, err := r.conn.Client().Subscribe(subject, func(m *nats.Msg) { r.arrived(m, into) })
		if err != nil {
			r.unlisten()
			return err
		}
		r.subs = append(r.subs, s)
	}
	return nil
}

// arrived queues a message. It runs on goroutines of the NATS client.
func (r *term) arrived(m *nats.Msg, into *fairQueue) {
	sender, ok := wire.SenderFor(m.Subject)
	if !ok {
		r.conn.CountMalformed(m, wire.ErrSender)
		return
	}
	r.presence.hear(sender, r.now())
	if !into.put(sender, m) {
		r.options.Monitor.dropped.Add(1)
	}
}

// unlisten cancels the subscriptions, so that a request fails at once with "no responders".
func (r *term) unlisten() {
	for _, s := range r.subs {
		_ = s.Unsubscribe()
	}
}

// publish sends a message as the leader. It sends nothing if the lease is over.
func (r *term) publish(subject string, payload []byte) {
	if !r.lease.held() {
		return
	}
	if err := r.conn.Publish(subject, payload); err != nil {
		r.options.Logger.Debug("bus: not sent", "subject", subject, "error", err)
	}
}

// reply answers m if its sender waits for an answer. m is answerable.
func (r *term) reply(m *nats.Msg, payload []byte) {
	if m.Reply != "" {
		r.publish(m.Reply, payload)
	}
}
