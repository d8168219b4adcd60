package lead

import (
	"sync"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// Bounds of the queue of each of the two goroutines of a term.
const (
	queueRoom = 1 << 16 // messages
	// shareRoom and shareBytes bound the messages of one sender that wait: a login server
	// that announces a million keys at once sends 4,096 messages of 12 KB.
	shareRoom  = queueRoom / 8
	shareBytes = 64 << 20
	// maxSenders bounds the number of senders.
	maxSenders = 4096
)

// fairQueue is a queue that serves its senders in turn: each has a bounded queue of its own,
// and next takes one message from each. A sender that floods the queue delays others by one
// message at most, and takes no room from them.
type fairQueue struct {
	ready chan struct{} // one slot: a message waits

	mu      sync.Mutex
	senders map[worlds.Node]*senderQueue // guarded by mu
	order   []*senderQueue               // guarded by mu; those with messages
	all     int                          // guarded by mu; messages in all of them
}

// senderQueue holds the waiting messages of one sender.
type senderQueue struct {
	messages []*nats.Msg
	bytes    int
}

func newFairQueue() *fairQueue {
	return &fairQueue{ready: make(chan struct{}, 1), senders: make(map[worlds.Node]*senderQueue)}
}

// put adds a message. It never blocks, and returns false if there is no room. It may be
// called from anywhere.
func (q *fairQueue) put(sender worlds.Node, m *nats.Msg) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.senders[sender]
	switch {
	case l == nil && len(q.senders) >= maxSenders || q.all >= queueRoom:
		return false
	case l == nil:
		l = &senderQueue{}
		q.senders[sender] = l
	case len(l.messages) >= shareRoom || l.bytes+len(m.Data) > shareBytes:
		return false
	}
	if len(l.messages) == 0 {
		q.order = append(q.order, l)
	}
	l.messages = append(l.messages, m)
	l.bytes += len(m.Data)
	q.all++
	q.wake()
	return true
}

// next removes and returns the message of the sender whose turn it is, or nil. If another
// message waits, ready is filled again.
func (q *fairQueue) next() *nats.Msg {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all == 0 {
		return nil
	}
	l := q.order[0]
	q.order = q.order[1:]
	m := l.messages[0]
	l.messages[0] = nil
	l.messages = l.messages[1:]
	l.bytes -= len(m.Data)
	if len(l.messages) > 0 {
		q.order = append(q.order, l)
	} else {
		l.messages = nil
	}
	if q.all--; q.all > 0 {
		q.wake()
	}
	return m
}

// wake fills ready without blocking.
func (q *fairQueue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
