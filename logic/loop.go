package logic

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/queue"
	"gatepass/storage"
	"gatepass/worlds"
)

// Loop is the logic goroutine: it gives the inputs of the inbox to the core until it takes
// the close command. If the inbox runs rounds inline, a round may run on the goroutine that
// brings a message to a sleeping loop; there is never more than one round at a time.
type Loop struct {
	queue.Loop
	core *Core
	// thread is called when the loop is on a thread of its own, to pin it to a core. With
	// nil the goroutine gets no thread of its own.
	thread func()
}

// NewLoop makes a loop. With a thread function it locks its goroutine to a thread and calls
// the function there; the inbox must then not run rounds inline.
func NewLoop(core *Core, in *Inbox, thread func()) *Loop {
	l := &Loop{core: core, thread: thread}
	l.Loop = queue.NewLoop(in.consumer, nil, l.flush)
	queue.Handle(&l.Loop, in.ticks, l.tick)
	queue.Handle(&l.Loop, in.commands, l.command)
	queue.Handle(&l.Loop, in.stored, l.stored)
	queue.Handle(&l.Loop, in.proved, l.proved)
	queue.Handle(&l.Loop, in.region, l.region)
	for _, shard := range in.clients {
		queue.Handle(&l.Loop, shard, l.client)
	}
	return l
}

// Run runs the loop; it returns after the close command.
func (l *Loop) Run() {
	if l.thread != nil {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		l.thread()
	}
	l.Loop.Run()
}

// flush guards the submitting of a round's effects.
func (l *Loop) flush() {
	defer queue.Rescue(l, 0)
	l.core.Flush()
}

// tick and command are not about one session. A bug in them costs what they had left to do.
func (l *Loop) tick(t *tick) {
	defer queue.Rescue(l, 0)
	l.core.Step(FromClock(t.now, t.wall))
	l.core.publish()
}

func (l *Loop) command(cmd *Command) {
	if cmd.Kind == CommandClose {
		l.End()
	}
	defer queue.Rescue(l, 0)
	l.core.Step(FromOperator(cmd))
}

func (l *Loop) client(m *codec.Message) {
	defer queue.Rescue(l, uint64(m.Conn))
	l.core.Step(FromClient(m))
}

func (l *Loop) stored(r *storage.Result) {
	defer queue.Rescue(l, r.Tag)
	l.core.Step(FromStore(r))
}

func (l *Loop) proved(r *auth.Result) {
	defer queue.Rescue(l, r.Tag)
	l.core.Step(FromPool(r))
}

func (l *Loop) region(e *worlds.Event) {
	defer queue.Rescue(l, 0)
	l.core.Step(FromBus(e))
}

// Fault counts and logs a panic.
func (l *Loop) Fault(p any) {
	l.core.counters.panics.Add(1)
	l.core.rules.reset()
	l.core.signals.reset()
	l.core.options.Logger.Error("panic in the logic; the session was closed",
		"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
}

// CleanUp ends the session of a connection after a panic.
func (l *Loop) CleanUp(tag uint64) { l.core.endConn(codec.Conn(tag), endFault) }

// Abandon takes the session out of the table as it is.
func (l *Loop) Abandon(tag uint64) {
	conn := codec.Conn(tag)
	if s := l.core.sessions.get(conn); s != nil {
		l.core.sessions.close(s)
	}
	l.core.effects.close(conn, codec.CloseFault)
}

// Inbox takes what every source has for the logic. Each producer has a shard of its own,
// of the type that it brings. The Loop takes the shards in the order of their fields, time
// first.
type Inbox struct {
	consumer *queue.Consumer
	ticks    *queue.Shard[tick]
	commands *queue.Shard[Command]
	stored   *queue.Shard[storage.Result]
	proved   *queue.Shard[auth.Result]
	region   *queue.Shard[worlds.Event]
	clients  []*queue.Shard[codec.Message] // one a reactor
}

// NewInbox makes an inbox for so many reactors, each with room for limit messages. With
// inline, the goroutine that brings a message while the logic sleeps runs the round itself
// (see queue.Consumer). resume is called on the logic goroutine when a reactor that found
// no room may try again; it must not block.
func NewInbox(reactors, limit int, inline bool, resume func(reactor int)) *Inbox {
	c := queue.NewConsumer(queue.ConsumerOptions{Lend: inline})
	in := &Inbox{
		consumer: c,
		ticks:    queue.NewShard[tick](c, queue.Limits{New: 4, Hard: 4}, nil),
		commands: queue.NewShard[Command](c, queue.Limits{New: commandInbox, Hard: commandInbox}, nil),
		stored:   queue.NewShard[storage.Result](c, queue.Limits{New: resultInbox, Hard: resultInbox}, nil),
		proved:   queue.NewShard[auth.Result](c, queue.Limits{New: resultInbox, Hard: resultInbox}, nil),
		region:   queue.NewShard[worlds.Event](c, queue.Limits{New: resultInbox, Hard: resultInbox}, nil),
	}
	limits := queue.Limits{New: max(1, limit*clientInboxNew/100), Hard: limit}
	for i := range reactors {
		in.clients = append(in.clients, queue.NewShard[codec.Message](c, limits, func() { resume(i) }))
	}
	return in
}

// tick is a moment by two clocks; see Input.Now.
type tick struct{ now, wall int64 }

// Tick leaves the time; see Input.Now. When the logic is several ticks behind, the tick is
// dropped.
func (in *Inbox) Tick(now, wall int64) { in.ticks.Push(&tick{now, wall}) }

// Command leaves a command; false means there is no room, try again later.
func (in *Inbox) Command(cmd Command) bool { return in.commands.Push(&cmd) }

// Stored leaves results of the store, waiting for room. The slice may be used
// again afterwards.
func (in *Inbox) Stored(results []storage.Result) { in.stored.PushAllWait(results) }

// Proved leaves results of the auth pool, waiting for room. The slice may be
// used again afterwards.
func (in *Inbox) Proved(results []auth.Result) { in.proved.PushAllWait(results) }

// Region leaves what the bus brought, waiting for room. It is not to be changed
// afterwards.
func (in *Inbox) Region(e worlds.Event) { in.region.PushAllWait([]worlds.Event{e}) }

// Client is the sink of one reactor.
func (in *Inbox) Client(reactor int) ClientSink { return ClientSink{in.clients[reactor]} }

// MaxReactors is how many reactors an inbox can have beside its other shards.
const MaxReactors = queue.MaxShards - 5

// ClientSink takes the messages of one reactor's clients.
type ClientSink struct{ shard *queue.Shard[codec.Message] }

// Offer leaves the message of a new connection. It finds no room earlier than other
// messages.
func (s ClientSink) Offer(m *codec.Message) bool { return s.shard.PushNew(m) }

// Deliver leaves any other message.
func (s ClientSink) Deliver(m *codec.Message) bool { return s.shard.Push(m) }

// InboxStats tells how full the inbox is.
type InboxStats struct {
	Ticks, Commands, Stored, Proved, Region queue.ShardStats
	Clients                                 []queue.ShardStats
	Loop                                    queue.ConsumerStats
}

// Stats reads the counters; anywhere.
func (in *Inbox) Stats() InboxStats {
	st := InboxStats{
		Ticks: in.ticks.Stats(), Commands: in.commands.Stats(),
		Stored: in.stored.Stats(), Proved: in.proved.Stats(), Region: in.region.Stats(), Loop: in.consumer.Stats(),
	}
	for _, shard := range in.clients {
		st.Clients = append(st.Clients, shard.Stats())
	}
	return st
}
