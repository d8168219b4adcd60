package gate

import (
	"fmt"
	"runtime/debug"

	"gatepass/codec"
	"gatepass/queue"
	"gatepass/worlds"
)

// inbox is where every source leaves what it has for the logic: one shard a
// producer. The logic takes them in the order of their fields.
type inbox struct {
	consumer *queue.Consumer
	ticks    *queue.Shard[int64]
	commands *queue.Shard[command]
	events   *queue.Shard[worlds.Event]
	posts    *queue.Shard[post]
	clients  []*queue.Shard[codec.Message] // one a reactor
}

// newInbox makes an inbox for so many reactors. resume is called on the logic
// goroutine when a reactor that found no room may try again.
//
// The consumer does not lend its rounds: the handler runs in them, and a game's
// time is not to be a reactor's.
func newInbox(reactors int, resume func(reactor int)) *inbox {
	c := queue.NewConsumer(queue.ConsumerOptions{})
	in := &inbox{
		consumer: c,
		ticks:    queue.NewShard[int64](c, queue.Limits{New: 4, Hard: 4}, nil),
		commands: queue.NewShard[command](c, queue.Limits{New: commandInbox, Hard: commandInbox}, nil),
		events:   queue.NewShard[worlds.Event](c, queue.Limits{New: busInbox, Hard: busInbox}, nil),
		posts:    queue.NewShard[post](c, queue.Limits{New: postInbox, Hard: postInbox}, nil),
	}
	for i := range reactors {
		limits := queue.Limits{New: clientInboxNew, Hard: clientInbox}
		in.clients = append(in.clients, queue.NewShard[codec.Message](c, limits, func() { resume(i) }))
	}
	return in
}

// deliver leaves what the bus brings, waiting for room. The bus's goroutine.
func (in *inbox) deliver(e worlds.Event) { in.events.PushAllWait([]worlds.Event{e}) }

// close lets go of producers that wait: nobody will take anything any more.
func (in *inbox) close() {
	in.ticks.Close()
	in.commands.Close()
	in.events.Close()
	in.posts.Close()
	for _, shard := range in.clients {
		shard.Close()
	}
}

// stats reads the counters; anywhere.
func (in *inbox) stats() InboxStats {
	st := InboxStats{Bus: in.events.Stats(), Posts: in.posts.Stats(), Loop: in.consumer.Stats()}
	for _, shard := range in.clients {
		st.Clients = append(st.Clients, shard.Stats())
	}
	return st
}

// clientSink takes the messages of one reactor's clients; see server.Sink.
type clientSink struct{ shard *queue.Shard[codec.Message] }

func (s clientSink) Offer(m *codec.Message) bool   { return s.shard.PushNew(m) }
func (s clientSink) Deliver(m *codec.Message) bool { return s.shard.Push(m) }

// loop is the logic goroutine: it drains the inbox into the core until it takes
// the close command.
type loop struct {
	core  *core
	inbox *inbox
	// clock is the time in milliseconds; see keepTime.
	clock  func() int64
	done   chan struct{}
	closed bool
}

// run is the goroutine.
func (l *loop) run() {
	defer close(l.done)
	l.inbox.consumer.Run(l.round)
	l.inbox.close()
}

// round takes what the ready shards hold and submits what came of it.
func (l *loop) round(ready queue.Ready) (more bool) {
	in := l.inbox
	l.keepTime()
	for i, ok := ready.Next(); ok; i, ok = ready.Next() {
		switch i {
		case in.ticks.Index():
			drain(in.ticks, l.tick)
		case in.commands.Index():
			drain(in.commands, l.command)
		case in.events.Index():
			drain(in.events, l.event)
		case in.posts.Index():
			drain(in.posts, l.post)
		default:
			drain(in.clients[i-in.clients[0].Index()], l.client)
		}
	}
	l.flush()
	return !l.closed
}

// keepTime makes up for ticks that are late before anything else is done. When the
// machine has slept or the process was stopped, messages may be here before the first
// tick, and what they come with, such as a pass, may be over.
func (l *loop) keepTime() {
	if now := l.clock(); now-l.core.now > tickLate.Milliseconds() {
		l.tick(&now)
	}
}

func (l *loop) tick(now *int64) {
	defer l.rescue(0)
	l.core.tick(*now)
	l.core.publish()
}

func (l *loop) command(cmd *command) {
	l.closed = l.closed || *cmd == commandClose
	defer l.rescue(0)
	l.core.command(*cmd)
}

func (l *loop) event(e *worlds.Event) {
	defer l.rescue(0)
	l.core.deliver(e)
}

func (l *loop) post(p *post) {
	defer l.rescue(p.conn)
	l.core.posted(p)
}

func (l *loop) client(m *codec.Message) {
	defer l.rescue(m.Conn)
	l.core.client(m)
}

func (l *loop) flush() {
	defer l.rescue(0)
	l.core.flush()
}

// rescue is deferred around a message about conn: a bug that one client can reach
// costs that client and nobody else.
func (l *loop) rescue(conn codec.Conn) {
	p := recover()
	if p == nil {
		return
	}
	l.fault(p)
	defer l.rescueAgain(conn)
	if s := l.core.sessionOf(conn); s != nil {
		s.why = LeftFault
		l.core.hangUp(s, codec.CloseFault)
	}
}

// rescueAgain is deferred around the clean-up, which meets the state that the bug has
// left and may panic too. Then the session is forgotten as it is: the connection is
// closed, and what comes of that finds nobody.
func (l *loop) rescueAgain(conn codec.Conn) {
	p := recover()
	if p == nil {
		return
	}
	l.fault(p)
	delete(l.core.sessions, conn)
	l.core.close(conn, codec.CloseFault)
}

func (l *loop) fault(p any) {
	l.core.count.panics.Add(1)
	l.core.options.Logger.Error("panic in the gate; the connection was closed",
		"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
}

// drain hands everything in a shard to handle. Nothing is left behind in the
// swapped slice: messages may hold keys and proofs.
func drain[T any](shard *queue.Shard[T], handle func(*T)) {
	batch := shard.Swap()
	for i := range batch {
		handle(&batch[i])
	}
	clear(batch)
}
