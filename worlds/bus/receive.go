package bus

import (
	"errors"
	"strings"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

// receive is the goroutine that decodes and delivers. It handles counts of characters and
// progress only when no other message waits.
func (n *Node) receive() {
	defer n.running.Done()
	for {
		select {
		case m := <-n.in:
			n.take(m)
			continue
		default:
		}
		select {
		case m := <-n.aside:
			n.take(m)
		case m := <-n.in:
			n.take(m)
		case <-n.raised:
			n.options.Deliver(worlds.Event{Up: true})
		case <-n.closing:
			return
		}
	}
}

// errStatus: the message is an answer of the NATS server, such as that nobody listens.
var errStatus = errors.New("bus: nobody answers")

// take decodes a message and delivers it.
func (n *Node) take(m *nats.Msg) {
	if strings.HasPrefix(m.Subject, wire.PrefixProgress) {
		if err := n.takeProgress(m); err != nil {
			n.conn.CountMalformed(m, err)
		}
		return
	}
	event, epoch, err := n.decode(m)
	if errors.Is(err, errStatus) {
		return
	}
	if err != nil {
		n.conn.CountMalformed(m, err)
		return
	}
	n.conn.count.received.Add(1)
	if n.conn.outdated(epoch) {
		return
	}
	if event.Pulse != nil {
		n.conn.HeardLeader()
	}
	if n.knowsEpoch(event.Pulse) {
		n.options.Deliver(event)
	} else {
		n.options.Deliver(worlds.Event{Up: true})
	}
}

// knowsEpoch reports false for the first pulse of a new leader at a world. A world has no
// worlds.Member that would tell it to announce its keys to that leader.
func (n *Node) knowsEpoch(p *worlds.Pulse) bool {
	if p == nil || n.conn.self.Kind() != worlds.KindWorld || p.Version.Epoch <= n.epoch {
		return true
	}
	n.epoch = p.Version.Epoch
	return false
}

// decode also returns the epoch of the manager that sent the message, or 0 if no leader
// sent it.
func (n *Node) decode(m *nats.Msg) (e worlds.Event, epoch uint64, err error) {
	switch s := m.Subject; {
	case strings.HasPrefix(s, wire.PrefixMove):
		from, ok := wire.SenderOf(s)
		if !ok {
			return e, 0, wire.ErrSender
		}
		e.From = from
		e.Move, err = wire.DecodeMove(m.Data)
		clear(m.Data) // it may hold a key
	case s == wire.SubjectPulse:
		if e.Pulse, err = wire.DecodePulse(m.Data); err == nil {
			epoch = e.Pulse.Version.Epoch
		}
	case s == wire.SubjectChange:
		if e.Change, err = wire.DecodeChange(m.Data); err == nil {
			epoch = e.Change.Version.Epoch
		}
	case s == wire.SubjectOrder:
		e.Order, err = wire.DecodeOrder(m.Data)
	case s == n.inbox && len(m.Data) == 0:
		err = errStatus
	case s == n.inbox:
		if e.Snapshot, err = wire.DecodeSnapshot(m.Data); err == nil {
			epoch = e.Snapshot.Version.Epoch
		}
		clear(m.Data) // it holds the voucher key
	case strings.HasPrefix(s, wire.PrefixPlace):
		e.Place, epoch, err = wire.DecodePlace(m.Data)
	case strings.HasPrefix(s, wire.PrefixEnd):
		e.End, epoch, err = wire.DecodeEnd(m.Data)
	default:
		id, ok := wire.WorldOf(s, wire.SuffixCharacters)
		if !ok {
			return e, 0, wire.ErrSender
		}
		e.Characters, err = wire.DecodeCharacters(id, m.Data)
	}
	return e, epoch, err
}
