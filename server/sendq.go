package server

import (
	"sync/atomic"

	"gatepass/codec"
	"gatepass/queue"
)

// Outgoing is one entry of the send queue: a reply, a frame, a close, or a
// frame for many.
type Outgoing struct {
	// Conn is the receiver, unless Targets is set.
	Conn codec.Conn
	// Targets makes it a broadcast of Frame to these connections. It must not change once
	// queued.
	Targets []codec.Conn
	// Frame is encoded bytes, shared and never changed. A Sealer encodes them again for its
	// client. Reply is not set then.
	Frame []byte
	// Reply is encoded by the connection's codec, unless its kind is ReplyNone.
	Reply codec.Reply
	// Transfer starts a file after the entries queued before. Replies are sent between its
	// frames; a Close ends it.
	Transfer *codec.Transfer
	// Close closes the connection after this entry, with Reason.
	Close  bool
	Reason codec.CloseReason
}

// SendQueue is the only path from the logic to the sockets. It gathers entries until Flush, so
// that the sender wakes once for each round of the logic. All methods belong to the goroutine
// that runs the logic.
//
// The queue is bounded from end to end: an entry counts from when it is gathered until a
// reactor takes it. A full queue refuses replies (false). The caller then has to Close the
// connection; the queue keeps room for closes.
type SendQueue struct {
	sender    *sender
	gathering []Outgoing
	room      int // replies are refused from this length on
}

// closeReserve is how many closes fit into a queue that is full of replies.
const closeReserve = 1 << 14

func (q *SendQueue) slot() *Outgoing {
	q.gathering = append(q.gathering, Outgoing{})
	return &q.gathering[len(q.gathering)-1]
}

func (q *SendQueue) full(limit int) bool {
	if len(q.gathering)+int(q.sender.handed.Load()) < limit {
		return false
	}
	q.sender.refused.Add(1)
	return true
}

// Send queues a reply; *r is copied.
func (q *SendQueue) Send(conn codec.Conn, r *codec.Reply) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Conn, o.Reply = conn, *r
	return true
}

// SendLast queues a reply and closes the connection after it.
func (q *SendQueue) SendLast(conn codec.Conn, r *codec.Reply) bool {
	if !q.Send(conn, r) {
		return false
	}
	o := &q.gathering[len(q.gathering)-1]
	o.Close, o.Reason = true, codec.CloseLogic
	return true
}

// SendFrame queues encoded bytes, which must not change any more.
func (q *SendQueue) SendFrame(conn codec.Conn, frame []byte) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Conn, o.Frame = conn, frame
	return true
}

// Broadcast queues encoded bytes for many connections. Neither slice may change any more.
func (q *SendQueue) Broadcast(targets []codec.Conn, frame []byte) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Targets, o.Frame = targets, frame
	return true
}

// StartTransfer queues a file to send. t must not change once queued. A connection has one
// transfer at a time. Its reactor reports the end (codec.KindTransferEnded).
func (q *SendQueue) StartTransfer(conn codec.Conn, t *codec.Transfer) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Conn, o.Transfer = conn, t
	return true
}

// Close queues the close of a connection after everything queued for it.
func (q *SendQueue) Close(conn codec.Conn, reason codec.CloseReason) bool {
	if q.full(q.room + closeReserve) {
		return false
	}
	o := q.slot()
	o.Conn, o.Close, o.Reason = conn, true, reason
	return true
}

// Flush hands everything gathered to the sender.
func (q *SendQueue) Flush() {
	if len(q.gathering) == 0 {
		return
	}
	q.sender.handed.Add(int64(len(q.gathering)))
	q.sender.shard.PushAll(q.gathering) // has more room than full allows to gather
	clear(q.gathering)                  // releases frames and targets
	q.gathering = q.gathering[:0]
}

// sender drains the send queue, groups the entries by reactor and hands each reactor one
// batch. Other goroutines may access only handed and refused.
type sender struct {
	// static after construction
	reactors []*reactor
	consumer *queue.Consumer
	shard    *queue.Shard[Outgoing]
	stop     *queue.Shard[struct{}]
	done     chan struct{}

	// handed is how many entries the reactors have not taken yet. The logic adds, the reactors
	// subtract.
	handed  atomic.Int64
	refused atomic.Uint64

	groups [][]Outgoing // one for each reactor
}

func newSender(reactors []*reactor, bound int) *sender {
	s := &sender{
		reactors: reactors,
		// A round only sorts entries, so it may run on the logic's goroutine.
		consumer: queue.NewConsumer(queue.ConsumerOptions{Lend: true}),
		done:     make(chan struct{}),
		groups:   make([][]Outgoing, len(reactors)),
	}
	hard := bound + closeReserve
	s.shard = queue.NewShard[Outgoing](s.consumer, queue.Limits{New: hard, Hard: hard}, nil)
	s.stop = queue.NewShard[struct{}](s.consumer, queue.Limits{New: 1, Hard: 1}, nil)
	return s
}

// run is the sender's goroutine. It ends when stop is pushed, after it has handed on the
// entries queued before.
func (s *sender) run() {
	defer close(s.done)
	s.consumer.Run(s.round)
}

func (s *sender) round(ready queue.Ready) (more bool) {
	more = true
	for i, ok := ready.Next(); ok; i, ok = ready.Next() {
		more = more && i != s.stop.Index()
	}
	batch := s.shard.Swap()
	for i := range batch {
		s.sort(&batch[i])
	}
	clear(batch) // releases frames and targets
	for i := range s.reactors {
		if len(s.groups[i]) > 0 {
			s.pass(i)
		}
	}
	return more
}

// pass hands a reactor its group. A reactor that has not found its loop has no connection, so
// its entries are dropped.
func (s *sender) pass(i int) {
	r := s.reactors[i]
	if !r.shown.Load() {
		s.handed.Add(-int64(len(s.groups[i])))
		clear(s.groups[i])
		s.groups[i] = s.groups[i][:0]
		return
	}
	group, send := r.mail.give(s.groups[i])
	s.groups[i] = group
	if send {
		r.schedule()
	}
}

// sort puts an entry into the group of its reactor. A broadcast goes to every reactor as one
// entry, and each reactor selects its own targets. Nothing is copied for each target.
func (s *sender) sort(o *Outgoing) {
	if o.Targets == nil {
		i := o.Conn.Reactor()
		s.groups[i] = append(s.groups[i], *o)
		return
	}
	s.handed.Add(int64(len(s.groups) - 1))
	for i := range s.groups {
		s.groups[i] = append(s.groups[i], *o)
	}
}
