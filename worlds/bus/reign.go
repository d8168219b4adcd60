package bus

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/guard"
	"gatepass/worlds"
)

// reign is one term of a leading manager. Two goroutines serve it, so that no
// client waits at a gate because a world is being stored: one for the list of
// worlds and the login servers, one for the directory.
type reign struct {
	// static after construction
	conn     *Conn
	lease    *lease
	options  ManagerOptions
	table    *table
	started  time.Duration // by options.Clock
	subs     []*nats.Subscription
	list     *turns
	keys     *turns
	presence *presence
	listed   listed
	// voucherKey is the region's, owned by the goroutine of the list once it runs.
	voucherKey worlds.Secret

	// owned by the goroutine of the list
	manager *worlds.Manager
	logins  logins
	pulsed  int64
	twins   guard.Pace // lines of the log about them
	refused map[uint8]*refusal

	// owned by the goroutine of the directory
	directory *worlds.Directory
	entries   []worlds.Announcement
	unvouched map[worlds.Node]*refusal
}

func newReign(s *standing, l *lease, t *table, key worlds.Secret) *reign {
	o := s.options
	r := &reign{
		conn: s.conn, lease: l, options: o, table: t, started: o.Clock(),
		list: newTurns(), keys: newTurns(), presence: newPresence(), voucherKey: key,
		manager: worlds.NewManager(worlds.ManagerOptions{
			Epoch: l.epoch, HeartbeatEvery: o.Heartbeat, Missed: o.Missed, RefreshEvery: o.Refresh,
		}),
		refused:   make(map[uint8]*refusal),
		logins:    logins{heard: make(map[worlds.Node]heardLogin)},
		unvouched: make(map[worlds.Node]*refusal),
	}
	r.directory = worlds.NewDirectory(worlds.DirectoryOptions{
		SecondLogin: o.SecondLogin, Vouchers: worlds.NewVouchers(&key), Registered: r.listed.has,
	})
	return r
}

// now is the time of the cores, in milliseconds since the term began, which is
// 1 so that no time is 0.
func (r *reign) now() int64 { return (r.options.Clock() - r.started).Milliseconds() + 1 }

// run leads until ctx ends or the lease is over.
func (r *reign) run(ctx context.Context) error {
	if err := r.table.fence(ctx, r.lease.epoch); err != nil {
		return err
	}
	records, err := r.table.load(ctx, r.options.Logger)
	if err != nil {
		return err
	}
	if left := r.manager.Restore(records, r.now()); left > 0 {
		r.options.Logger.Error("bus: stored worlds that cannot stand beside the others are left out", "worlds", left)
	}
	r.listed.follow(r.manager)
	// Listening comes before the first pulse: what it makes nodes announce must
	// find somebody.
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

func (r *reign) listen() error {
	for subject, into := range map[string]*turns{
		prefixWorld + "*" + suffixRegister: r.list,
		prefixWorld + "*" + suffixBeat:     r.list,
		prefixLogin + "*" + suffixBeat:     r.list,
		subjectSnapshot:                    r.list,
		subjectReset:                       r.list,
		subjectLogins:                      r.list,
		prefixAnnounce + "*.*":             r.keys,
		prefixLocate + "*.*":               r.keys,
		prefixEndAsked + "*.*":             r.keys,
	} {
		s, err := r.conn.nats.Subscribe(subject, func(m *nats.Msg) { r.arrived(m, into) })
		if err != nil {
			r.unlisten()
			return err
		}
		r.subs = append(r.subs, s)
	}
	return nil
}

// arrived runs on goroutines of the NATS client.
func (r *reign) arrived(m *nats.Msg, into *turns) {
	sender, ok := senderFor(m.Subject)
	if !ok {
		r.conn.malformed(m, errSender)
		return
	}
	r.presence.hear(sender, r.now())
	if !into.put(sender, m) {
		r.options.Monitor.dropped.Add(1)
	}
}

// unlisten makes those who ask hear at once that nobody leads.
func (r *reign) unlisten() {
	for _, s := range r.subs {
		_ = s.Unsubscribe()
	}
}

// publish says something as the leader; who does not lead any more says nothing.
func (r *reign) publish(subject string, payload []byte) {
	if !r.lease.held() {
		return
	}
	if err := r.conn.nats.Publish(subject, payload); err != nil {
		r.conn.count.dropped.Add(1)
		r.options.Logger.Debug("bus: not sent", "subject", subject, "error", err)
		return
	}
	r.conn.count.sent.Add(1)
}

// reply answers m, which is answerable, if who asks waits for it.
func (r *reign) reply(m *nats.Msg, payload []byte) {
	if m.Reply != "" {
		r.publish(m.Reply, payload)
	}
}
