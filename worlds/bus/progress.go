package bus

import (
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

// maxWaitingProgress bounds the progress that waits to be sent: everybody in the longest
// queue that a world is likely to have, 56 bytes each. More is dropped; the next step of
// the queue brings newer positions.
const maxWaitingProgress = 1 << 16

// progressTo is progress with the login server that gets it.
type progressTo struct {
	to       worlds.Node
	progress worlds.Progress
}

// sendProgress sends all progress, grouped by login server, each group in its order.
func (n *Node) sendProgress(all []progressTo) {
	slices.SortStableFunc(all, func(a, b progressTo) int { return strings.Compare(string(a.to), string(b.to)) })
	batch := make([]worlds.Progress, 0, min(len(all), wire.ProgressBatch))
	for i := range all {
		batch = append(batch, all[i].progress)
		if i+1 < len(all) && all[i+1].to == all[i].to && len(batch) < wire.ProgressBatch {
			continue
		}
		n.buf = wire.AppendProgress(n.buf[:0], batch)
		if err := n.conn.nats.Publish(wire.ProgressSubject(all[i].to, n.conn.self), n.buf); err != nil {
			n.conn.count.dropped.Add(uint64(len(batch)))
		} else {
			n.conn.count.sent.Add(1)
		}
		batch = batch[:0]
	}
}

// takeProgress delivers the progress in a message, one event each.
func (n *Node) takeProgress(m *nats.Msg) error {
	from, ok := wire.SenderOf(m.Subject)
	if !ok {
		return wire.ErrSender
	}
	all, err := wire.DecodeProgress(m.Data)
	if err != nil {
		return err
	}
	n.conn.count.received.Add(1)
	for i := range all {
		n.options.Deliver(worlds.Event{From: from, Progress: &all[i]})
	}
	return nil
}
