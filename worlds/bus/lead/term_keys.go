package lead

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// directoryTick is the time between two checks for waits that have expired. Waits last
// seconds.
const directoryTick = 100 * time.Millisecond

// serveKeys is the goroutine of the directory.
func (r *term) serveKeys(ctx context.Context) {
	ticks := time.NewTicker(directoryTick)
	defer ticks.Stop()
	count := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.keys.ready:
			if m := r.keys.next(); m != nil {
				r.conn.CountReceived()
				r.takeKeys(m)
			}
		case <-ticks.C:
			r.directory.Tick(r.now())
			r.forget()
			if count++; count%10 == 1 {
				stats := r.directory.Stats()
				r.options.Monitor.directory.Store(&stats)
			}
		}
		r.tell()
	}
}

// forget removes nodes that are gone from the directory. A node that sends again announces
// its keys again.
func (r *term) forget() {
	soon := r.options.Heartbeat * time.Duration(r.options.Missed)
	for _, node := range r.presence.silent(r.now(), soon.Milliseconds(), r.options.LoginGone.Milliseconds()) {
		r.directory.NodeGone(node)
	}
}

// takeKeys handles a message about keys.
func (r *term) takeKeys(m *nats.Msg) {
	from, ok := wire.SenderOf(m.Subject)
	err := wire.ErrSender
	switch s := m.Subject; {
	case !ok:
	case strings.HasPrefix(s, wire.PrefixAnnounce):
		err = r.announced(from, m.Data)
	case strings.HasPrefix(s, wire.PrefixLocate):
		var l *worlds.Locate
		if l, err = wire.DecodeLocate(m.Data); err == nil {
			r.directory.Locate(from, l, r.now())
		}
	default:
		var e *worlds.AccountEnd
		if e, err = wire.DecodeAccountEnd(m.Data); err == nil {
			r.directory.End(e)
		}
	}
	if err != nil {
		r.conn.CountMalformed(m, err)
	}
}

// announced gives the directory the announcements of a node.
func (r *term) announced(from worlds.Node, payload []byte) error {
	incarnation, entries, err := wire.DecodeAnnounce(payload, r.entries[:0])
	r.entries = entries
	if err != nil {
		return err
	}
	r.directory.Hello(from, incarnation) // also without entries
	before := r.directory.Unvouched()
	for i := range entries {
		r.directory.Announce(from, incarnation, &entries[i])
	}
	if n := r.directory.Unvouched() - before; n > 0 {
		r.tellUnvouched(from, n)
	}
	return nil
}

// tellUnvouched logs, once a minute for each world, that a world's announcements are
// ignored. Its version may know no vouchers, its keys may be older than the voucher key, or
// its announcements may be forged.
func (r *term) tellUnvouched(world worlds.Node, entries uint64) {
	if r.unvouched[world] == nil {
		r.unvouched[world] = new(retry.Report) // at most 255: only registered worlds get here
	}
	if r.unvouched[world].Due("unvouched", r.options.Clock()) {
		r.options.Logger.Warn("bus: ignoring keys that a world announces without the voucher of a login server",
			"world", string(world), "keys", entries)
	}
}

// tell sends the messages of the directory.
func (r *term) tell() {
	for _, e := range r.directory.Effects() {
		if e.Place != nil {
			r.publish(wire.PrefixPlace+string(e.To), wire.EncodePlace(e.Place, r.lease.epoch))
		} else {
			r.publish(wire.PrefixEnd+string(e.To), wire.EncodeEnd(e.End, r.lease.epoch))
		}
	}
}
