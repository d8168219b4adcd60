package bus

import (
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

// send is the goroutine that encodes and publishes: writing to the bus may block, and the
// goroutine that submits must not.
func (n *Node) send() {
	defer n.running.Done()
	ticks := time.NewTicker(n.options.HelloEvery)
	defer ticks.Stop()
	for {
		select {
		case <-n.wake:
			n.flush(false)
		case <-ticks.C:
			n.mu.Lock()
			n.hello = n.lived
			n.mu.Unlock()
			n.flush(false)
		case <-n.closing:
			n.flush(true)
			return
		}
	}
}

// flush sends the urgent effects and progress, and the announcements if they are due or this
// is the last flush. The last message is the hello of a new life, which holds no keys.
func (n *Node) flush(last bool) {
	n.mu.Lock()
	life, hello := n.life, n.hello
	n.hello = false
	urgent := n.urgent
	n.urgent = n.spareUrgent[:0]
	progress := n.progress
	n.progress = n.spareProgress[:0]
	var batch []worlds.Announcement
	if n.due || last {
		batch = n.pending
		n.pending, n.due = n.sparePending[:0], false
		if len(batch) > 0 {
			n.sentAt = n.conn.clock()
		}
	}
	lost := n.lost && len(n.pending) == 0
	if lost {
		n.lost = false
	}
	n.mu.Unlock()

	for i := range urgent {
		n.publish(&urgent[i])
		urgent[i] = worlds.Effect{}
	}
	if len(progress) > 0 {
		n.sendProgress(progress)
	}
	n.spareProgress = nil
	if cap(progress) <= keptPending {
		n.spareProgress = progress
	}
	if hello {
		n.announce(life, nil)
	}
	if len(batch) > 0 {
		n.announce(life, batch)
	}
	if last {
		n.announce(life+1, nil)
	}
	n.spareUrgent = urgent
	if batch != nil && cap(batch) <= keptPending {
		n.sparePending = batch
	} else if batch != nil {
		n.sparePending = nil
	}
	if lost && !last {
		n.raise()
	}
}

// announce sends the announcements of a life, AnnounceBatch in a message; a message without
// announcements is a hello. Announcements that cannot be sent are repeated after Up, which
// is delivered when the bus is back.
func (n *Node) announce(life uint64, all []worlds.Announcement) {
	for {
		batch := all[:min(len(all), wire.AnnounceBatch)]
		all = all[len(batch):]
		n.buf = wire.AppendAnnounce(n.buf[:0], life, batch)
		if err := n.conn.nats.Publish(wire.PrefixAnnounce+string(n.conn.self), n.buf); err != nil {
			n.conn.count.droppedAnnouncements.Add(uint64(len(batch)))
		} else {
			n.conn.count.announced.Add(uint64(len(batch)))
			n.conn.count.batches.Add(1)
			n.conn.count.sent.Add(1)
		}
		if len(all) == 0 {
			return
		}
	}
}

// publish sends one effect and wipes its copy of a key.
func (n *Node) publish(e *worlds.Effect) {
	var err error
	self, subject := string(n.conn.self), ""
	switch {
	case e.Move != nil:
		subject = wire.MoveSubject(e.To, n.conn.self)
		n.buf, err = wire.AppendMove(n.buf[:0], e.Move)
		e.Move.Key.Wipe()
		defer func() { clear(n.buf) }()
	case e.Locate != nil:
		subject = wire.PrefixLocate + self
		n.buf = wire.AppendLocate(n.buf[:0], e.Locate)
	case e.End != nil:
		subject = wire.PrefixEndAsked + self
		n.buf = wire.AppendAccountEnd(n.buf[:0], e.End)
	case e.AskSnapshot:
		subject = wire.SubjectSnapshot
		n.buf = append(n.buf[:0], "{}"...)
	default:
		err = errNoSuchEffect
	}
	switch {
	case err != nil:
	case e.AskSnapshot:
		err = n.conn.nats.PublishRequest(subject, n.inbox, n.buf)
	default:
		err = n.conn.nats.Publish(subject, n.buf)
	}
	if err != nil {
		n.conn.count.dropped.Add(1)
		n.conn.log.Debug("bus: not sent", "subject", subject, "error", err)
		return
	}
	n.conn.count.sent.Add(1)
}
