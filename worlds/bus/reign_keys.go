package bus

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// directoryTick is how often waits are looked at; they last seconds.
const directoryTick = 100 * time.Millisecond

// serveKeys is the goroutine of the directory.
func (r *reign) serveKeys(ctx context.Context) {
	ticks := time.NewTicker(directoryTick)
	defer ticks.Stop()
	count := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.keys.ready:
			if m := r.keys.next(); m != nil {
				r.conn.count.received.Add(1)
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

// forget makes the directory forget where nodes are concerned that are gone. One
// that speaks again announces anew what it holds.
func (r *reign) forget() {
	soon := r.options.Heartbeat * time.Duration(r.options.Missed)
	for _, node := range r.presence.silent(r.now(), soon.Milliseconds(), r.options.LoginGone.Milliseconds()) {
		r.directory.NodeGone(node)
	}
}

func (r *reign) takeKeys(m *nats.Msg) {
	from, ok := senderOf(m.Subject)
	err := errSender
	switch s := m.Subject; {
	case !ok:
	case strings.HasPrefix(s, prefixAnnounce):
		err = r.announced(from, m.Data)
	case strings.HasPrefix(s, prefixLocate):
		var l *worlds.Locate
		if l, err = decodeLocate(m.Data); err == nil {
			r.directory.Locate(from, l, r.now())
		}
	default:
		var e *worlds.AccountEnd
		if e, err = decodeAccountEnd(m.Data); err == nil {
			r.directory.End(e)
		}
	}
	if err != nil {
		r.conn.malformed(m, err)
	}
}

func (r *reign) announced(from worlds.Node, payload []byte) error {
	incarnation, entries, err := decodeAnnounce(payload, r.entries[:0])
	r.entries = entries
	if err != nil {
		return err
	}
	r.directory.Hello(from, incarnation) // also when it says no more than that
	before := r.directory.Unvouched()
	for i := range entries {
		r.directory.Announce(from, incarnation, &entries[i])
	}
	if n := r.directory.Unvouched() - before; n > 0 {
		r.tellUnvouched(from, n)
	}
	return nil
}

// tellUnvouched logs once a minute that a world is not believed. It may be of a version
// that knows no vouchers, hold keys from before the voucher key was lost, or lie.
func (r *reign) tellUnvouched(world worlds.Node, entries uint64) {
	if r.unvouched[world] == nil {
		r.unvouched[world] = new(refusal) // worlds that are registered only: 255 at most
	}
	if r.unvouched[world].tells("unvouched", r.options.Clock()) {
		r.options.Logger.Warn("bus: a world announces keys that no login server vouches for; it is not believed",
			"world", string(world), "keys", entries)
	}
}

// tell sends what the directory has to say.
func (r *reign) tell() {
	for _, e := range r.directory.Effects() {
		if e.Place != nil {
			r.publish(prefixPlace+string(e.To), encodePlace(e.Place, r.lease.epoch))
		} else {
			r.publish(prefixEnd+string(e.To), encodeEnd(e.End, r.lease.epoch))
		}
	}
}
