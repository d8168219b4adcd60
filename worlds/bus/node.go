package bus

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// What a Node holds back and how much.
const (
	// announceEvery is the least time between two messages with announcements:
	// what comes sooner waits for others. A message costs the three processes
	// some 100 µs together, in wake-ups, so at 1,000 logins a second, 50 of which
	// share one, it is 2 µs a login. A client that is quicker than its
	// announcement only makes its gate's Locate wait that long; on a quiet server
	// nothing waits.
	announceEvery = 50 * time.Millisecond
	// announceBatch is how many announcements a message has at most; so many go
	// at once.
	announceBatch = 256
	// maxAnnouncements is how many announcements wait to be sent at most: all keys of
	// a large login server, which it announces at once after Up, 29 bytes each.
	maxAnnouncements = 1 << 20
	// maxUrgent is how many other effects wait to be sent at most.
	maxUrgent = 8192
	// inboxRoom is how many messages wait to be delivered at most; what comes
	// when it is full is dropped and counted.
	inboxRoom = 8192
	// asideRoom is how many messages with counts of characters and progress wait
	// besides: a world that sends them without end takes nobody's room.
	asideRoom = 1024
	// keptPending is up to how many announcements, or how much progress, a queue's
	// memory is kept.
	keptPending = 4096
	// helloEvery is how often a node says that it is there, so that its keys are
	// not forgotten though none comes or goes: as often as worlds beat.
	helloEvery = 2 * time.Second
)

// NodeOptions say who speaks and who listens.
type NodeOptions struct {
	// Incarnation is drawn anew at every start of the process. It is that of the
	// node's first life; each later one, which begins with an Up, has one more. A
	// new one tells the directory that what it knew of the node's keys is out of
	// date.
	Incarnation uint64
	// Deliver takes what comes, one event at a time, on a goroutine of the node.
	// It must not block long: what finds no room meanwhile is lost. What an
	// event points to is the taker's.
	Deliver func(worlds.Event)
}

// Node is a login server or world as a correspondent: it submits effects and is
// delivered events. Conn.Close closes it.
type Node struct {
	// static after construction
	conn    *Conn
	options NodeOptions
	inbox   string // where snapshots are sent that were asked for
	in      chan *nats.Msg
	aside   chan *nats.Msg // counts of characters, and progress
	wake    chan struct{}  // one slot: there is something to send
	raised  chan struct{}  // one slot: Up is to be delivered
	closing chan struct{}
	running sync.WaitGroup
	timer   *time.Timer // runs only while announcements wait

	subs []*nats.Subscription // owned by who opens and closes

	mu       sync.Mutex
	urgent   []worlds.Effect       // guarded by mu; copies
	progress []progressTo          // guarded by mu
	pending  []worlds.Announcement // guarded by mu
	due      bool                  // guarded by mu; the batch is to go
	sentAt   time.Duration         // guarded by mu; when the last batch went
	lost     bool                  // guarded by mu; an announcement was dropped
	life     uint64                // guarded by mu; the incarnation that announces
	lived    bool                  // guarded by mu; a hello of that life was raised
	hello    bool                  // guarded by mu; it is to be said
	closed   bool                  // guarded by mu

	// owned by the sending goroutine
	spareUrgent   []worlds.Effect
	spareProgress []progressTo
	sparePending  []worlds.Announcement
	buf           []byte
	epoch         uint64 // owned by the receiving goroutine; that of the last new pulse
}

// Node begins to correspond for the connection's own node, which must be a
// login server or a world. The first event is Up, as soon as the bus is there.
func (c *Conn) Node(o NodeOptions) (*Node, error) {
	n := &Node{
		conn: c, options: o, life: o.Incarnation,
		inbox:   c.nats.NewInbox(),
		in:      make(chan *nats.Msg, inboxRoom),
		aside:   make(chan *nats.Msg, asideRoom),
		wake:    make(chan struct{}, 1),
		raised:  make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	n.timer = time.AfterFunc(time.Hour, n.batchDue)
	n.timer.Stop()
	if err := n.subscribe(); err != nil {
		return nil, err
	}
	if err := c.watchLeader(); err != nil {
		n.unsubscribe()
		return nil, fmt.Errorf("bus: node: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		n.unsubscribe()
		return nil, fmt.Errorf("bus: node: %w", nats.ErrConnectionClosed)
	}
	c.nodes = append(c.nodes, n)
	n.running.Add(2)
	go n.send()
	go n.receive()
	if c.Up() {
		n.raise()
	}
	return n, nil
}

func (n *Node) subscribe() error {
	self := string(n.conn.self)
	subjects := []string{n.inbox, subjectPulse, prefixPlace + self, prefixEnd + self}
	switch n.conn.self.Kind() {
	case worlds.KindLogin:
		subjects = append(subjects, prefixMove+self+".*.*", subjectChange, subjectOrder)
		for _, subject := range []string{prefixWorld + "*" + suffixCharacters, prefixProgress + self + "." + worlds.KindWorld + ".*"} {
			if err := n.listen(subject, n.aside); err != nil {
				return err
			}
		}
	case worlds.KindWorld:
		subjects = append(subjects, prefixMove+self+"."+worlds.KindLogin+".*")
	default:
		return fmt.Errorf("bus: node %s is no login server and no world", self)
	}
	for _, subject := range subjects {
		if err := n.listen(subject, n.in); err != nil {
			return err
		}
	}
	return nil
}

// listen has what comes under a subject put into a channel; on an error nothing is
// listened to any more.
func (n *Node) listen(subject string, into chan *nats.Msg) error {
	s, err := n.conn.nats.ChanSubscribe(subject, into)
	if err != nil {
		n.unsubscribe()
		return fmt.Errorf("bus: subscribe to %s: %w", subject, err)
	}
	n.subs = append(n.subs, s)
	return nil
}

// unsubscribe may find the connection closed, which is as good.
func (n *Node) unsubscribe() {
	for _, s := range n.subs {
		_ = s.Unsubscribe()
	}
}

// Submit takes effects to be sent: announcements together with others, at most
// announceEvery later, the rest at once, progress behind it. It never blocks and keeps nothing of what it is
// given. What finds no room, or no bus, is dropped and counted; when that was an
// announcement, Up is delivered once there is room again. From one goroutine at
// a time.
func (n *Node) Submit(effects []worlds.Effect) {
	if len(effects) == 0 {
		return
	}
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		n.conn.count.dropped.Add(uint64(len(effects)))
		return
	}
	before := len(n.pending)
	for i := range effects {
		n.takeLocked(&effects[i])
	}
	wake := len(n.urgent)+len(n.progress) > 0
	switch after := len(n.pending); {
	case after >= announceBatch || slices.ContainsFunc(n.pending[before:], renewed):
		n.due, wake = true, true
	case before == 0 && after > 0:
		if wait := announceEvery - (n.conn.clock() - n.sentAt); wait > 0 {
			n.timer.Reset(wait)
		} else {
			n.due, wake = true, true
		}
	}
	n.mu.Unlock()
	if wake {
		signal(n.wake)
	}
}

func (n *Node) takeLocked(e *worlds.Effect) {
	switch {
	case e.Announce != nil && len(n.pending) < maxAnnouncements:
		n.pending = append(n.pending, *e.Announce)
	case e.Announce != nil:
		n.lost = true
		n.conn.count.droppedAnnouncements.Add(1)
	case e.Progress != nil && len(n.progress) < maxWaitingProgress:
		n.progress = append(n.progress, progressTo{e.To, *e.Progress})
	case e.Progress != nil:
		n.conn.count.dropped.Add(1)
	case len(n.urgent) < maxUrgent:
		n.urgent = append(n.urgent, copyOf(e))
	default:
		n.conn.count.dropped.Add(1)
	}
}

// copyOf shares nothing with e.
func copyOf(e *worlds.Effect) worlds.Effect {
	c := *e
	switch {
	case e.Move != nil:
		m := *e.Move
		if m.Proof != nil {
			p := *m.Proof
			m.Proof = &p
		}
		c.Move = &m
	case e.Locate != nil:
		l := *e.Locate
		c.Locate = &l
	case e.End != nil:
		end := *e.End
		c.End = &end
	}
	return c
}

// renewed tells whether an announcement cannot wait for others: until the manager
// has it, the world that its client is about to enter would be refused, under a
// rule that lets nobody in twice.
func renewed(a worlds.Announcement) bool { return a.Kind == worlds.AnnounceRenewed }

// batchDue runs on a timer's goroutine.
func (n *Node) batchDue() {
	n.mu.Lock()
	n.due = true
	n.mu.Unlock()
	signal(n.wake)
}

// signal never blocks: whoever is already to be woken will see everything.
func signal(slot chan struct{}) {
	select {
	case slot <- struct{}{}:
	default:
	}
}

// raise begins another life and asks for Up to be delivered; anywhere. The hello
// goes before whatever is announced because of the Up, and all that was announced
// before it is announced again behind it.
func (n *Node) raise() {
	n.mu.Lock()
	if n.lived {
		n.life++
	}
	n.lived, n.hello = true, true
	n.mu.Unlock()
	signal(n.wake)
	signal(n.raised)
}

// Close sends what was submitted, says that nothing is held here any more, and ends
// the node. It may be called again.
func (n *Node) Close() error {
	c := n.conn
	c.mu.Lock()
	found := false
	for i, other := range c.nodes {
		if other == n {
			c.nodes, found = append(c.nodes[:i:i], c.nodes[i+1:]...), true
			break
		}
	}
	c.mu.Unlock()
	if found {
		n.stop()
	}
	n.running.Wait()
	return nil
}

// stop is called once.
func (n *Node) stop() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.unsubscribe()
	n.timer.Stop()
	close(n.closing)
	n.running.Wait()
}

// errNoSuchEffect is a bug of the caller.
var errNoSuchEffect = errors.New("bus: an effect that says nothing")
