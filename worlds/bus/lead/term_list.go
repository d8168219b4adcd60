package lead

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// storeRetry is the pause before a failed write is tried again.
const storeRetry = 50 * time.Millisecond

// serveList is the goroutine of the list of worlds.
func (r *term) serveList(ctx context.Context) {
	ticks := time.NewTicker(max(r.options.Heartbeat/8, time.Millisecond))
	defer ticks.Stop()
	r.pulse()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.list.ready:
			if m := r.list.next(); m != nil {
				r.conn.CountReceived()
				r.takeList(ctx, m)
			}
		case <-ticks.C:
			r.tickList(ctx)
		}
	}
}

// tickList advances the manager, and sends the pulse if it is due.
func (r *term) tickList(ctx context.Context) {
	now := r.now()
	r.manager.Tick(now)
	r.settle(ctx)
	for _, node := range r.manager.Silenced() {
		r.presence.doubt(node)
	}
	if now-r.pulsed < pulseEvery.Milliseconds() {
		return
	}
	r.pulse()
	for _, node := range r.logins.silent(now - r.options.LoginGone.Milliseconds()) {
		r.options.Logger.Warn("bus: a login server is no longer heard", "login", string(node))
	}
	stats := r.manager.Stats()
	r.options.Monitor.worlds.Store(&stats)
	r.options.Monitor.logins.Store(int64(len(r.logins.heard)))
}

// pulse sends the leader's sign of life.
func (r *term) pulse() {
	r.pulsed = r.now()
	r.publish(wire.SubjectPulse, wire.EncodePulse(worlds.Pulse{Version: r.manager.Version()}))
}

// settle stores the manager's writes and then publishes its changes. It returns false if the
// term has ended before all was stored: then it has published nothing.
func (r *term) settle(ctx context.Context) bool {
	for _, w := range r.manager.Writes() {
		if !r.store(ctx, &w) {
			return false
		}
	}
	r.listed.follow(r.manager)
	for _, c := range r.manager.Changes() {
		r.publish(wire.SubjectChange, wire.EncodeChange(&c))
	}
	return true
}

// store retries until the write succeeds or the term ends: the list in memory has the change
// already.
func (r *term) store(ctx context.Context, w *worlds.Write) bool {
	for {
		if ctx.Err() != nil || !r.lease.held() {
			return false
		}
		err := r.table.store(ctx, w)
		if err == nil {
			r.options.Monitor.stores.Add(1)
			r.options.Monitor.failing.Store(0)
			return true
		}
		if errors.Is(err, errFenced) {
			r.options.Logger.Warn("bus: this manager no longer leads: another manager has taken the list of worlds", "epoch", r.lease.epoch)
			r.lease.lose()
			return false
		}
		r.options.Monitor.failed()
		r.options.Logger.Warn("bus: a world could not be stored, trying again", "world", w.World, "error", err)
		if !retry.Sleep(ctx, storeRetry) {
			return false
		}
	}
}

// takeList handles a message about the list of worlds or about login servers.
func (r *term) takeList(ctx context.Context, m *nats.Msg) {
	if !answerable(m) {
		r.conn.CountMalformed(m, wire.ErrSender)
		return
	}
	switch s := m.Subject; {
	case s == wire.SubjectSnapshot:
		snapshot := r.manager.Snapshot()
		if strings.HasPrefix(m.Reply, inboxOfLogins) {
			snapshot.VoucherKey = r.voucherKey
		}
		answer := wire.EncodeSnapshot(&snapshot)
		r.reply(m, answer)
		clear(answer)
		snapshot.VoucherKey.Wipe()
	case s == wire.SubjectReset:
		r.reset(ctx, m)
	case s == wire.SubjectLogins:
		r.reply(m, wire.EncodeLogins(r.logins.all()))
	case strings.HasPrefix(s, wire.PrefixLogin):
		b, err := bus.LoginBeatOf(m)
		if err != nil {
			r.conn.CountMalformed(m, err)
			return
		}
		r.hearLogin(b)
	case strings.HasSuffix(s, wire.SuffixRegister):
		r.register(ctx, m)
	default:
		r.beat(ctx, m)
	}
}

// reset empties the list. From then on the manager does not notice that a world is silent,
// so the presence of each world is put in doubt here.
func (r *term) reset(ctx context.Context, m *nats.Msg) {
	r.options.Logger.Info("bus: the list of worlds is emptied")
	for _, e := range r.manager.Snapshot().Entries {
		r.presence.doubt(worlds.WorldNode(e.ID))
	}
	r.manager.Reset()
	if r.settle(ctx) {
		r.reply(m, wire.EncodeJSON(wire.RegisterReply{OK: true, Epoch: wire.Hex64(r.lease.epoch)}))
	}
}

// register handles a world's registration.
func (r *term) register(ctx context.Context, m *nats.Msg) {
	id, ok := wire.WorldOf(m.Subject, wire.SuffixRegister)
	if !ok {
		r.conn.CountMalformed(m, wire.ErrSender)
		return
	}
	registration, err := wire.DecodeRegistration(id, m.Data)
	if err == nil {
		err = r.manager.Register(worlds.WorldNode(id), registration, r.now())
	}
	if err != nil {
		r.tellRefusal(id, err)
		reply := wire.RegisterReply{Reason: wire.Clip(err.Error()), Epoch: wire.Hex64(r.lease.epoch)}
		if errors.Is(err, worlds.ErrTwin) {
			reply.RetryMs = uint32(r.options.Heartbeat.Milliseconds())
		}
		r.reply(m, wire.EncodeJSON(reply))
		return
	}
	delete(r.refused, id)
	for _, doubt := range registration.Doubts(false) {
		r.options.Logger.Warn("clients may not reach a world", "world", id, "why", doubt)
	}
	if r.settle(ctx) {
		r.reply(m, wire.EncodeJSON(wire.RegisterReply{
			OK: true, HeartbeatMs: uint32(r.options.Heartbeat.Milliseconds()), Missed: uint32(r.options.Missed),
			Epoch: wire.Hex64(r.lease.epoch),
		}))
	}
}

// tellRefusal logs why a world is refused, once a minute for each reason.
func (r *term) tellRefusal(id uint8, err error) {
	if r.refused[id] == nil {
		r.refused[id] = new(retry.Report)
	}
	if r.refused[id].Due(err.Error(), r.options.Clock()) {
		r.options.Logger.Warn("bus: registration refused", "world", id, "reason", err)
	}
}

// beat handles a world's heartbeat.
func (r *term) beat(ctx context.Context, m *nats.Msg) {
	id, ok := wire.WorldOf(m.Subject, wire.SuffixBeat)
	if !ok {
		r.conn.CountMalformed(m, wire.ErrSender)
		return
	}
	b, err := wire.DecodeBeat(m.Data)
	if err != nil {
		r.conn.CountMalformed(m, err)
		return
	}
	known := r.manager.Beat(worlds.WorldNode(id), b, r.now())
	if r.settle(ctx) {
		r.reply(m, wire.EncodeJSON(wire.BeatReply{Known: known, Epoch: wire.Hex64(r.lease.epoch)}))
	}
}

// answerable reports whether the reply subject of a request is empty or an inbox of a node
// that may send the request. The sender chooses the reply subject freely, and the manager
// may publish where the sender may not: into the buckets.
func answerable(m *nats.Msg) bool {
	if m.Reply == "" {
		return true
	}
	for _, inbox := range inboxesFor(m.Subject) {
		if strings.HasPrefix(m.Reply, inbox) {
			return true
		}
	}
	return false
}

// inboxOfLogins is the prefix of the inboxes of login servers. Only that login server can
// subscribe to its inbox, whoever has sent the request.
const inboxOfLogins = wire.PrefixInbox + worlds.KindLogin + "."

// inboxesFor returns the prefixes that the reply subject of a request may have.
func inboxesFor(subject string) []string {
	const admins = wire.PrefixInbox + worlds.KindAdmin + "."
	switch subject {
	case wire.SubjectSnapshot:
		return []string{inboxOfLogins, admins}
	case wire.SubjectReset, wire.SubjectLogins:
		return []string{admins}
	}
	for _, suffix := range []string{wire.SuffixRegister, wire.SuffixBeat} {
		if id, ok := wire.WorldOf(subject, suffix); ok {
			return []string{wire.PrefixInbox + string(worlds.WorldNode(id)) + "."}
		}
	}
	return nil
}
