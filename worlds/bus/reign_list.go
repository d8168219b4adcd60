package bus

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// storeRetry is the pause before what could not be stored is tried again.
const storeRetry = 50 * time.Millisecond

// serveList is the goroutine of the list of worlds.
func (r *reign) serveList(ctx context.Context) {
	ticks := time.NewTicker(max(r.options.Heartbeat/8, time.Millisecond))
	defer ticks.Stop()
	r.pulse()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.list.ready:
			if m := r.list.next(); m != nil {
				r.conn.count.received.Add(1)
				r.takeList(ctx, m)
			}
		case <-ticks.C:
			r.tickList(ctx)
		}
	}
}

func (r *reign) tickList(ctx context.Context) {
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
		r.options.Logger.Warn("bus: a login server is not heard any more", "login", string(node))
	}
	stats := r.manager.Stats()
	r.options.Monitor.worlds.Store(&stats)
	r.options.Monitor.logins.Store(int64(len(r.logins.heard)))
}

func (r *reign) pulse() {
	r.pulsed = r.now()
	r.publish(subjectPulse, encodePulse(worlds.Pulse{Version: r.manager.Version()}))
}

// settle stores what must be stored and then tells what has changed. It is false
// when the term has ended first: then nothing may be told.
func (r *reign) settle(ctx context.Context) bool {
	for _, w := range r.manager.Writes() {
		if !r.store(ctx, &w) {
			return false
		}
	}
	r.listed.follow(r.manager)
	for _, c := range r.manager.Changes() {
		r.publish(subjectChange, encodeChange(&c))
	}
	return true
}

// store tries until it is done or the term ends: the list in memory is ahead
// already.
func (r *reign) store(ctx context.Context, w *worlds.Write) bool {
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
			r.options.Logger.Warn("bus: this manager does not lead any more: another has taken the list of worlds", "epoch", r.lease.epoch)
			r.lease.lose()
			return false
		}
		r.options.Monitor.failed()
		r.options.Logger.Warn("bus: a world is not stored, trying again", "world", w.World, "error", err)
		if !sleep(ctx, storeRetry) {
			return false
		}
	}
}

func (r *reign) takeList(ctx context.Context, m *nats.Msg) {
	if !answerable(m) {
		r.conn.malformed(m, errSender)
		return
	}
	switch s := m.Subject; {
	case s == subjectSnapshot:
		snapshot := r.manager.Snapshot()
		if strings.HasPrefix(m.Reply, inboxOfLogins) {
			snapshot.VoucherKey = r.voucherKey
		}
		answer := encodeSnapshot(&snapshot)
		r.reply(m, answer)
		clear(answer)
		snapshot.VoucherKey.Wipe()
	case s == subjectReset:
		r.reset(ctx, m)
	case s == subjectLogins:
		r.reply(m, encodeLogins(r.logins.all()))
	case strings.HasPrefix(s, prefixLogin):
		b, err := loginBeatOf(m)
		if err != nil {
			r.conn.malformed(m, err)
			return
		}
		r.hearLogin(b)
	case strings.HasSuffix(s, suffixRegister):
		r.register(ctx, m)
	default:
		r.beat(ctx, m)
	}
}

// reset empties the list. A world that is dead already will not fall silent any
// more, for the list does not know it.
func (r *reign) reset(ctx context.Context, m *nats.Msg) {
	r.options.Logger.Info("bus: the list of worlds is emptied")
	for _, e := range r.manager.Snapshot().Entries {
		r.presence.doubt(worlds.WorldNode(e.ID))
	}
	r.manager.Reset()
	if r.settle(ctx) {
		r.reply(m, encodeJSON(registerReply{OK: true, Epoch: hex64(r.lease.epoch)}))
	}
}

func (r *reign) register(ctx context.Context, m *nats.Msg) {
	id, ok := worldOf(m.Subject, suffixRegister)
	if !ok {
		r.conn.malformed(m, errSender)
		return
	}
	registration, err := decodeRegistration(id, m.Data)
	if err == nil {
		err = r.manager.Register(worlds.WorldNode(id), registration, r.now())
	}
	if err != nil {
		r.tellRefusal(id, err)
		reply := registerReply{Reason: clip(err.Error()), Epoch: hex64(r.lease.epoch)}
		if errors.Is(err, worlds.ErrTwin) {
			reply.RetryMs = uint32(r.options.Heartbeat.Milliseconds())
		}
		r.reply(m, encodeJSON(reply))
		return
	}
	delete(r.refused, id)
	for _, doubt := range registration.Doubts(false) {
		r.options.Logger.Warn("clients may not reach a world", "world", id, "why", doubt)
	}
	if r.settle(ctx) {
		r.reply(m, encodeJSON(registerReply{
			OK: true, HeartbeatMs: uint32(r.options.Heartbeat.Milliseconds()), Missed: uint32(r.options.Missed),
			Epoch: hex64(r.lease.epoch),
		}))
	}
}

// tellRefusal logs why a world is refused, once for as long as it goes on asking.
func (r *reign) tellRefusal(id uint8, err error) {
	if r.refused[id] == nil {
		r.refused[id] = new(refusal)
	}
	if r.refused[id].tells(err.Error(), r.options.Clock()) {
		r.options.Logger.Warn("bus: registration refused", "world", id, "reason", err)
	}
}

func (r *reign) beat(ctx context.Context, m *nats.Msg) {
	id, ok := worldOf(m.Subject, suffixBeat)
	if !ok {
		r.conn.malformed(m, errSender)
		return
	}
	b, err := decodeBeat(m.Data)
	if err != nil {
		r.conn.malformed(m, err)
		return
	}
	known := r.manager.Beat(worlds.WorldNode(id), b, r.now())
	if r.settle(ctx) {
		r.reply(m, encodeJSON(beatReply{Known: known, Epoch: hex64(r.lease.epoch)}))
	}
}

// answerable tells whether a request asks for no answer or for one in an inbox of
// those who may ask it. The reply subject is what the asker likes, and the manager
// may write where the asker may not: into the buckets.
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

// inboxOfLogins is what the inbox of a login server begins with. Nobody but that login
// server hears what comes there, whoever has asked.
const inboxOfLogins = prefixInbox + worlds.KindLogin + "."

// inboxesFor are what an answer to a request on a subject may begin with.
func inboxesFor(subject string) []string {
	const admins = prefixInbox + worlds.KindAdmin + "."
	switch subject {
	case subjectSnapshot:
		return []string{inboxOfLogins, admins}
	case subjectReset, subjectLogins:
		return []string{admins}
	}
	for _, suffix := range []string{suffixRegister, suffixBeat} {
		if id, ok := worldOf(subject, suffix); ok {
			return []string{prefixInbox + string(worlds.WorldNode(id)) + "."}
		}
	}
	return nil
}
