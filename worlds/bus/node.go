package bus

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

// Bounds and times of a Node.
const (
	// announceEvery is the least time between two messages with announcements. An
	// announcement that comes sooner waits and shares a message. A message costs the
	// three processes some 100 µs together, for wake-ups; at 1,000 logins a second 50
	// share one, which makes 2 µs a login. A client that is faster than its
	// announcement makes its gate's Locate wait that long. On a quiet server nothing
	// waits.
	announceEvery = 50 * time.Millisecond
	// maxAnnouncements bounds the announcements that wait to be sent: all keys of a large
	// login server, which it announces at once after Up, 29 bytes each.
	maxAnnouncements = 1 << 20
	// maxUrgent bounds the other effects that wait to be sent.
	maxUrgent = 8192
	// inboxRoom bounds the messages that wait to be delivered; a message that finds no
	// room is dropped and counted.
	inboxRoom = 8192
	// asideRoom bounds the messages with counts of characters and progress that wait. They
	// have a queue of their own, so that a world that floods them takes no room from
	// other messages.
	asideRoom = 1024
	// keptPending is the largest capacity, in announcements or progress, with which a
	// queue's memory is reused.
	keptPending = 4096
	// helloEvery is how often a node sends a hello, so that the directory keeps its keys
	// while none comes or goes: as often as worlds beat.
	helloEvery = 2 * time.Second
)

// NodeOptions configure a Node.
type NodeOptions struct {
	// Incarnation is drawn at random at every start of the process. The first life of the
	// node has it; each later life, which begins with an Up, has one more. A new
	// incarnation tells the directory to forget the keys that it knew of the node.
	Incarnation uint64
	// HelloEvery is the time between two hellos; 0 is 2 s.
	HelloEvery time.Duration
	// Deliver gets one event at a time, on a goroutine of the node. It must not block for
	// long: messages that find no room meanwhile are lost. It owns what the event points
	// to.
	Deliver func(worlds.Event)
}

// Node lets a login server or world correspond with the others: it sends effects and
// delivers events. Conn.Close closes it.
type Node struct {
	// static after construction
	conn    *Conn
	options NodeOptions
	inbox   string // the subject of the answers to AskSnapshot
	in      chan *nats.Msg
	aside   chan *nats.Msg // counts of characters, and progress
	wake    chan struct{}  // one slot: there are messages to send
	raised  chan struct{}  // one slot: Up is to be delivered
	closing chan struct{}
	running sync.WaitGroup
	timer   *time.Timer // runs only while announcements wait

	subs []*nats.Subscription // owned by the goroutine that opens or closes the node

	mu       sync.Mutex
	urgent   []worlds.Effect       // guarded by mu; copies
	progress []progressTo          // guarded by mu
	pending  []worlds.Announcement // guarded by mu
	due      bool                  // guarded by mu; the batch is to be sent
	sentAt   time.Duration         // guarded by mu; when the last batch was sent
	lost     bool                  // guarded by mu; an announcement was dropped
	life     uint64                // guarded by mu; the current incarnation
	lived    bool                  // guarded by mu; the first life has begun
	hello    bool                  // guarded by mu; a hello is to be sent
	closed   bool                  // guarded by mu

	// owned by the sending goroutine
	spareUrgent   []worlds.Effect
	spareProgress []progressTo
	sparePending  []worlds.Announcement
	buf           []byte
	epoch         uint64 // owned by the receiving goroutine; of the last leader that sent a pulse
}

// Node starts the correspondence of the connection's node, which must be a login server or
// a world. The first event is Up, as soon as the bus is there.
func (c *Conn) Node(o NodeOptions) (*Node, error) {
	if o.HelloEvery <= 0 {
		o.HelloEvery = helloEvery
	}
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
	if err := c.WatchLeader(); err != nil {
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

// subscribe subscribes to the subjects of the node's kind.
func (n *Node) subscribe() error {
	self := string(n.conn.self)
	subjects := []string{n.inbox, wire.SubjectPulse, wire.PrefixPlace + self, wire.PrefixEnd + self}
	switch n.conn.self.Kind() {
	case worlds.KindLogin:
		subjects = append(subjects, wire.PrefixMove+self+".*.*", wire.SubjectChange, wire.SubjectOrder)
		for _, subject := range []string{wire.PrefixWorld + "*" + wire.SuffixCharacters, wire.PrefixProgress + self + "." + worlds.KindWorld + ".*"} {
			if err := n.listen(subject, n.aside); err != nil {
				return err
			}
		}
	case worlds.KindWorld:
		subjects = append(subjects, wire.PrefixMove+self+"."+worlds.KindLogin+".*")
	default:
		return fmt.Errorf("bus: node %s is neither a login server nor a world", self)
	}
	for _, subject := range subjects {
		if err := n.listen(subject, n.in); err != nil {
			return err
		}
	}
	return nil
}

// listen subscribes to a subject; messages go into a channel. On an error it cancels all
// subscriptions of the node.
func (n *Node) listen(subject string, into chan *nats.Msg) error {
	s, err := n.conn.nats.ChanSubscribe(subject, into)
	if err != nil {
		n.unsubscribe()
		return fmt.Errorf("bus: subscribe to %s: %w", subject, err)
	}
	n.subs = append(n.subs, s)
	return nil
}

// unsubscribe cancels all subscriptions. A closed connection is no error.
func (n *Node) unsubscribe() {
	for _, s := range n.subs {
		_ = s.Unsubscribe()
	}
}

// Submit queues effects to be sent: announcements at most announceEvery later, together
// with others; other effects at once; progress after those. It never blocks, and keeps no
// reference to effects. An effect that finds no room, or no bus, is dropped and counted; if
// it is an announcement, Up is delivered when there is room again. One goroutine at a time
// may call it.
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
	case after >= wire.AnnounceBatch || slices.ContainsFunc(n.pending[before:], renewed):
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

// takeLocked queues an effect; mu is held.
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

// copyOf returns a deep copy.
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

// renewed reports whether an announcement must be sent at once: under the rule that refuses
// a second login, the client is refused by its new world until the manager has the
// announcement.
func renewed(a worlds.Announcement) bool { return a.Kind == worlds.AnnounceRenewed }

// batchDue wakes the sending goroutine for announcements that have waited. It runs on a
// timer's goroutine.
func (n *Node) batchDue() {
	n.mu.Lock()
	n.due = true
	n.mu.Unlock()
	signal(n.wake)
}

// signal fills a slot of one without blocking: a goroutine that is already to be woken
// sees everything that was added.
func signal(slot chan struct{}) {
	select {
	case slot <- struct{}{}:
	default:
	}
}

// raise begins another life and lets Up be delivered. The hello of that life is sent before
// the announcements that the Up causes; keys that were announced earlier are announced
// again after it. It may be called from anywhere.
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

// Close sends what was submitted and a hello that says that the node holds no keys, and ends
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

// stop ends both goroutines. It is called once.
func (n *Node) stop() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.unsubscribe()
	n.timer.Stop()
	close(n.closing)
	n.running.Wait()
}

// errNoSuchEffect: the caller has submitted an effect with no content, which is a bug.
var errNoSuchEffect = errors.New("bus: an effect without content")
