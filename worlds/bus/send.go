package bus

import (
	"time"

	"gatepass/worlds"
)

// send is the goroutine that encodes and publishes: writing to the bus may
// block, and the logic must not.
func (n *Node) send() {
	defer n.running.Done()
	ticks := time.NewTicker(n.conn.helloEvery)
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

// flush sends what is urgent and, when it is due or this is the last time, what
// was announced. The last word is the hello of a life that holds nothing.
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

// announce sends announcements of a life, so many a message; none is its hello.
// What the bus does not take is announced again after Up, which comes with the
// bus.
func (n *Node) announce(life uint64, all []worlds.Announcement) {
	for {
		batch := all[:min(len(all), announceBatch)]
		all = all[len(batch):]
		n.buf = appendAnnounce(n.buf[:0], life, batch)
		if err := n.conn.nats.Publish(prefixAnnounce+string(n.conn.self), n.buf); err != nil {
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
