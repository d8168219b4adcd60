package bus

import (
	"errors"
	"strings"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// receive is the goroutine that decodes and delivers. Counts of characters and
// progress have their turn when nothing else waits.
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

// errStatus is for what the bus itself answers, such as that nobody listens.
var errStatus = errors.New("bus: nobody answers")

func (n *Node) take(m *nats.Msg) {
	if strings.HasPrefix(m.Subject, prefixProgress) {
		if err := n.takeProgress(m); err != nil {
			n.conn.malformed(m, err)
		}
		return
	}
	event, epoch, err := n.decode(m)
	if errors.Is(err, errStatus) {
		return
	}
	if err != nil {
		n.conn.malformed(m, err)
		return
	}
	n.conn.count.received.Add(1)
	if n.conn.outdated(epoch) {
		return
	}
	if event.Pulse != nil {
		n.conn.leader.hear(n.conn.clock())
	}
	if n.knowsEpoch(event.Pulse) {
		n.options.Deliver(event)
	} else {
		n.options.Deliver(worlds.Event{Up: true})
	}
}

// knowsEpoch is false for the first pulse of another leader at a world: it has
// no worlds.Member that would tell it to announce its keys to that leader.
func (n *Node) knowsEpoch(p *worlds.Pulse) bool {
	if p == nil || n.conn.self.Kind() != worlds.KindWorld || p.Version.Epoch <= n.epoch {
		return true
	}
	n.epoch = p.Version.Epoch
	return false
}

// decode also tells the epoch of the manager that says it, 0 if it is of nobody who
// leads.
func (n *Node) decode(m *nats.Msg) (e worlds.Event, epoch uint64, err error) {
	switch s := m.Subject; {
	case strings.HasPrefix(s, prefixMove):
		from, ok := senderOf(s)
		if !ok {
			return e, 0, errSender
		}
		e.From = from
		e.Move, err = decodeMove(m.Data)
		clear(m.Data) // it may have held a key
	case s == subjectPulse:
		if e.Pulse, err = decodePulse(m.Data); err == nil {
			epoch = e.Pulse.Version.Epoch
		}
	case s == subjectChange:
		if e.Change, err = decodeChange(m.Data); err == nil {
			epoch = e.Change.Version.Epoch
		}
	case s == subjectOrder:
		e.Order, err = decodeOrder(m.Data)
	case s == n.inbox && len(m.Data) == 0:
		err = errStatus
	case s == n.inbox:
		if e.Snapshot, err = decodeSnapshot(m.Data); err == nil {
			epoch = e.Snapshot.Version.Epoch
		}
		clear(m.Data) // it holds the voucher key
	case strings.HasPrefix(s, prefixPlace):
		e.Place, epoch, err = decodePlace(m.Data)
	case strings.HasPrefix(s, prefixEnd):
		e.End, epoch, err = decodeEnd(m.Data)
	default:
		id, ok := worldOf(s, suffixCharacters)
		if !ok {
			return e, 0, errSender
		}
		e.Characters, err = decodeCharacters(id, m.Data)
	}
	return e, epoch, err
}

var errSender = errors.New("bus: the subject names no node")
