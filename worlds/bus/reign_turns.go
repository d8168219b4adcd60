package bus

import (
	"sync"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// What waits for each of the two halves of a reign at most.
const (
	reignRoom = 1 << 16
	// shareRoom and shareBytes are what waits of one sender at most: a login server
	// that announces a million keys at once sends 4,096 messages of 12 KB.
	shareRoom  = reignRoom / 8
	shareBytes = 64 << 20
	// maxSenders is how many senders are told apart.
	maxSenders = 4096
)

// turns is a queue in which every sender has a line of its own, of a bounded
// length, and one message of each line is taken in turn. So who sends without end
// delays nobody else by more than a message, and takes nobody's room.
type turns struct {
	ready chan struct{} // one slot: something waits

	mu    sync.Mutex
	lines map[worlds.Node]*line // guarded by mu
	order []*line               // guarded by mu; those with something in them
	all   int                   // guarded by mu
}

// line is what waits of one sender.
type line struct {
	messages []*nats.Msg
	bytes    int
}

func newTurns() *turns {
	return &turns{ready: make(chan struct{}, 1), lines: make(map[worlds.Node]*line)}
}

// put adds a message; anywhere. It never blocks, and is false when there is no
// room.
func (q *turns) put(sender worlds.Node, m *nats.Msg) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[sender]
	switch {
	case l == nil && len(q.lines) >= maxSenders || q.all >= reignRoom:
		return false
	case l == nil:
		l = &line{}
		q.lines[sender] = l
	case len(l.messages) >= shareRoom || l.bytes+len(m.Data) > shareBytes:
		return false
	}
	if len(l.messages) == 0 {
		q.order = append(q.order, l)
	}
	l.messages = append(l.messages, m)
	l.bytes += len(m.Data)
	q.all++
	signal(q.ready)
	return true
}

// next takes the message whose turn it is, or nil, and is ready again if there is
// another.
func (q *turns) next() *nats.Msg {
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
		signal(q.ready)
	}
	return m
}
