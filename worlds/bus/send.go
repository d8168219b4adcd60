package bus

import (
	"gatepass/worlds"
)

// send is the goroutine that encodes and publishes: writing to the bus may
// block, and the logic must not.
func (n *Node) send() {
	defer n.running.Done()
	for {
		select {
		case <-n.wake:
			n.flush(false)
		case <-n.closing:
			n.flush(true)
			return
		}
	}
}

// flush sends what is urgent and, when it is due or this is the last time, what
// was announced.
func (n *Node) flush(last bool) {
	n.mu.Lock()
	urgent := n.urgent
	n.urgent = n.spareUrgent[:0]
	var batch []worlds.Announcement
	if n.due || last {
		batch = n.pending
		n.pending, n.due = n.sparePending[:0], false
		if len(batch) > 0 {
			n.sentAt = n.conn.now()
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
	n.announce(batch)
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

// announce sends announcements, so many a message. What the bus does not take
// is announced again after Up, which comes with the bus.
func (n *Node) announce(all []worlds.Announcement) {
	for len(all) > 0 {
		batch := all[:min(len(all), announceBatch)]
		all = all[len(batch):]
		n.buf = appendAnnounce(n.buf[:0], n.options.Incarnation, batch)
		if err := n.conn.nats.Publish(prefixAnnounce+string(n.conn.self), n.buf); err != nil {
			n.conn.count.droppedAnnouncements.Add(uint64(len(batch)))
			continue
		}
		n.conn.count.announced.Add(uint64(len(batch)))
		n.conn.count.batches.Add(1)
		n.conn.count.sent.Add(1)
	}
}

// publish sends one effect, whose copy of a key is wiped.
func (n *Node) publish(e *worlds.Effect) {
	var err error
	self, subject := string(n.conn.self), ""
	switch {
	case e.Move != nil:
		subject = moveSubject(e.To, n.conn.self)
		n.buf, err = appendMove(n.buf[:0], e.Move)
		e.Move.Key.Wipe()
		defer func() { clear(n.buf) }()
	case e.Locate != nil:
		subject = prefixLocate + self
		n.buf = appendLocate(n.buf[:0], e.Locate)
	case e.End != nil:
		subject = prefixEndAsked + self
		n.buf = appendAccountEnd(n.buf[:0], e.End)
	case e.AskSnapshot:
		subject = subjectSnapshot
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
