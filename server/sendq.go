package server

import (
	"sync/atomic"

	"gatepass/codec"
	"gatepass/queue"
)

// Outgoing is one entry of the send queue: a reply, a frame, a close, or a
// frame for many.
type Outgoing struct {
	// Conn is whom it is for, unless Targets is set.
	Conn codec.Conn
	// Targets makes it a broadcast of Frame. Never changed once queued.
	Targets []codec.Conn
	// Frame is bytes that are encoded already, shared and never changed; a Sealer
	// makes its own of them. Reply is not set then.
	Frame []byte
	// Reply is encoded by the connection's codec, unless its kind is ReplyNone.
	Reply codec.Reply
	// Transfer begins a file behind what was queued before. Replies go between its
	// frames, a Close ends it.
	Transfer *codec.Transfer
	// Close closes the connection behind it, for Reason.
	Close  bool
	Reason codec.CloseReason
}

// SendQueue is the one way from the logic to the sockets. What is sent gathers
// until Flush, so that the sender is woken once for all that one round of the
// logic had to say. All methods belong to whoever runs the logic.
//
// It is bounded from end to end: an entry counts from when it is gathered until
// a reactor takes it. When it is full, replies are refused (false); the caller
// then owes the connection a Close, for which room is kept.
type SendQueue struct {
	sender    *sender
	gathering []Outgoing
	room      int // replies are refused from this length on
}

// closeReserve is how many closes there is room for behind a queue that is full
// of replies.
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

// SendLast queues a reply and closes the connection behind it.
func (q *SendQueue) SendLast(conn codec.Conn, r *codec.Reply) bool {
	if !q.Send(conn, r) {
		return false
	}
	o := &q.gathering[len(q.gathering)-1]
	o.Close, o.Reason = true, codec.CloseLogic
	return true
}

// SendFrame queues encoded bytes, which must never change again.
func (q *SendQueue) SendFrame(conn codec.Conn, frame []byte) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Conn, o.Frame = conn, frame
	return true
}

// Broadcast queues encoded bytes for many; neither may change again.
func (q *SendQueue) Broadcast(targets []codec.Conn, frame []byte) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Targets, o.Frame = targets, frame
	return true
}

// StartTransfer begins to send a file; t is never changed once queued. A connection
// has one at a time; its reactor tells of the end (codec.KindTransferEnded).
func (q *SendQueue) StartTransfer(conn codec.Conn, t *codec.Transfer) bool {
	if q.full(q.room) {
		return false
	}
	o := q.slot()
	o.Conn, o.Transfer = conn, t
	return true
}

// Close queues the end of a connection behind everything queued for it.
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
	q.sender.shard.PushAll(q.gathering) // has room for more than full lets gather
	clear(q.gathering)                  // lets go of frames and targets
	q.gathering = q.gathering[:0]
}

// sender drains the send queue, groups it by reactor and hands each reactor one
// batch. Only handed and refused may be touched by others than who runs it.
type sender struct {
	// static after construction
	reactors []*reactor
	consumer *queue.Consumer
	shard    *queue.Shard[Outgoing]
	stop     *queue.Shard[struct{}]
	done     chan struct{}

	// handed is how many entries the reactors have not taken yet: the logic
	// adds, the reactors subtract.
	handed  atomic.Int64
	refused atomic.Uint64

	groups [][]Outgoing // one a reactor
}

func newSender(reactors []*reactor, bound int) *sender {
	s := &sender{
		reactors: reactors,
		// A round only sorts, so it may run on the logic's goroutine.
		consumer: queue.NewConsumer(queue.ConsumerOptions{Lend: true}),
		done:     make(chan struct{}),
		groups:   make([][]Outgoing, len(reactors)),
	}
	hard := bound + closeReserve
	s.shard = queue.NewShard[Outgoing](s.consumer, queue.Limits{New: hard, Hard: hard}, nil)
	s.stop = queue.NewShard[struct{}](s.consumer, queue.Limits{New: 1, Hard: 1}, nil)
	return s
}

// run is the sender's goroutine. It ends when stop is pushed, having handed on
// what was queued before.
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
	clear(batch) // lets go of frames and targets
	for i := range s.reactors {
		if len(s.groups[i]) > 0 {
			s.pass(i)
		}
	}
	return more
}

// pass hands a reactor its group. One that has not shown itself has no
// connection: what is for it is for nobody.
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

// sort puts an entry into the group of its reactor. A broadcast goes to every
// reactor as it is, and each picks out its own: nothing is copied a target.
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
