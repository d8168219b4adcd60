package bus

import (
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// maxWaitingProgress is how much progress waits to be sent at most: everybody in
// the longest queue that a world is likely to have, 56 bytes each. What is more is
// dropped; the next step of the queue has newer.
const maxWaitingProgress = 1 << 16

// progressTo is progress and the login server that it goes to.
type progressTo struct {
	to       worlds.Node
	progress worlds.Progress
}

// sendProgress sends what waited, of each login server together and in its order.
func (n *Node) sendProgress(all []progressTo) {
	slices.SortStableFunc(all, func(a, b progressTo) int { return strings.Compare(string(a.to), string(b.to)) })
	batch := make([]worlds.Progress, 0, min(len(all), progressBatch))
	for i := range all {
		batch = append(batch, all[i].progress)
		if i+1 < len(all) && all[i+1].to == all[i].to && len(batch) < progressBatch {
			continue
		}
		n.buf = appendProgress(n.buf[:0], batch)
		if err := n.conn.nats.Publish(progressSubject(all[i].to, n.conn.self), n.buf); err != nil {
			n.conn.count.dropped.Add(uint64(len(batch)))
		} else {
			n.conn.count.sent.Add(1)
		}
		batch = batch[:0]
	}
}

// takeProgress delivers what a message tells, piece by piece.
func (n *Node) takeProgress(m *nats.Msg) error {
	from, ok := senderOf(m.Subject)
	if !ok {
		return errSender
	}
	all, err := decodeProgress(m.Data)
	if err != nil {
		return err
	}
	n.conn.count.received.Add(1)
	for i := range all {
		n.options.Deliver(worlds.Event{From: from, Progress: &all[i]})
	}
	return nil
}
