package gate

import (
	"fmt"
	"runtime/debug"

	"gatepass/codec"
	"gatepass/queue"
	"gatepass/worlds"
)

// inbox receives the messages for the logic. Each producer has its own shard. The logic
// reads the shards in the order of the fields.
type inbox struct {
	consumer *queue.Consumer
	ticks    *queue.Shard[int64]
	commands *queue.Shard[command]
	events   *queue.Shard[worlds.Event]
	posts    *queue.Shard[post]
	clients  []*queue.Shard[codec.Message] // one a reactor
}

// newInbox returns an inbox for the given number of reactors. resume runs on the logic
// goroutine when a reactor that found no room may try again.
//
// The consumer does not run inline on a producer's goroutine, because it calls the
// handler, and a reactor must not spend time in the game.
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

// deliver queues an event and waits for room. It runs on the bus's goroutine.
func (in *inbox) deliver(e worlds.Event) { in.events.PushAllWait([]worlds.Event{e}) }

// stats returns the counters. It may be called from any goroutine.
func (in *inbox) stats() InboxStats {
	st := InboxStats{Bus: in.events.Stats(), Posts: in.posts.Stats(), Loop: in.consumer.Stats()}
	for _, shard := range in.clients {
		st.Clients = append(st.Clients, shard.Stats())
	}
	return st
}

// clientSink receives the messages of one reactor's clients; see server.Sink.
type clientSink struct{ shard *queue.Shard[codec.Message] }

func (s clientSink) Offer(m *codec.Message) bool   { return s.shard.PushNew(m) }
func (s clientSink) Deliver(m *codec.Message) bool { return s.shard.Push(m) }

// loop is the logic goroutine: it passes messages from the inbox to the core until the
// close command.
type loop struct {
	queue.Loop
	core *core
	// clock is the time in milliseconds; see keepTime.
	clock func() int64
}

func newLoop(c *core, in *inbox, clock func() int64) *loop {
	l := &loop{core: c, clock: clock}
	l.Loop = queue.NewLoop(in.consumer, l.keepTime, l.flush)
	queue.Handle(&l.Loop, in.ticks, l.tick)
	queue.Handle(&l.Loop, in.commands, l.command)
	queue.Handle(&l.Loop, in.events, l.event)
	queue.Handle(&l.Loop, in.posts, l.post)
	for _, shard := range in.clients {
		queue.Handle(&l.Loop, shard, l.client)
	}
	return l
}

// keepTime runs a late tick before other messages are handled. After a sleep of the
// machine or a stop of the process, messages can arrive before the first tick, and
// their content, such as a pass, may have expired.
func (l *loop) keepTime() {
	if now := l.clock(); now-l.core.now > tickLate.Milliseconds() {
		l.tick(&now)
	}
}

func (l *loop) tick(now *int64) {
	defer queue.Rescue(l, 0)
	l.core.tick(*now)
	l.core.publish()
}

func (l *loop) command(cmd *command) {
	if *cmd == commandClose {
		l.End()
	}
	defer queue.Rescue(l, 0)
	l.core.command(*cmd)
}

func (l *loop) event(e *worlds.Event) {
	defer queue.Rescue(l, 0)
	l.core.deliver(e)
}

func (l *loop) post(p *post) {
	defer queue.Rescue(l, uint64(p.conn))
	l.core.posted(p)
}

func (l *loop) client(m *codec.Message) {
	defer queue.Rescue(l, uint64(m.Conn))
	l.core.client(m)
}

func (l *loop) flush() {
	defer queue.Rescue(l, 0)
	l.core.flush()
}

// Fault counts and logs a panic.
func (l *loop) Fault(p any) {
	l.core.count.panics.Add(1)
	l.core.options.Logger.Error("panic in the gate; the connection was closed",
		"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
}

// CleanUp ends the session of a connection after a panic.
func (l *loop) CleanUp(tag uint64) {
	if s := l.core.sessionOf(codec.Conn(tag)); s != nil {
		s.why = LeftFault
		l.core.hangUp(s, codec.CloseFault)
	}
}

// Abandon removes the session from the table without other steps.
func (l *loop) Abandon(tag uint64) {
	delete(l.core.sessions, codec.Conn(tag))
	l.core.close(codec.Conn(tag), codec.CloseFault)
}
