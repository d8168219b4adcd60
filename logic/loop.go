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
	core  *Core
	inbox *Inbox
	// thread is called when the loop is on a thread of its own, to pin it to a core. With
	// nil the goroutine gets no thread of its own.
	thread func()
	done   chan struct{}
	closed bool
}

// NewLoop makes a loop. With a thread function it locks its goroutine to a thread and calls
// the function there; the inbox must then not run rounds inline.
func NewLoop(core *Core, inbox *Inbox, thread func()) *Loop {
	return &Loop{core: core, inbox: inbox, thread: thread, done: make(chan struct{})}
}

// Done is closed when the loop has ended.
func (l *Loop) Done() <-chan struct{} { return l.done }

// Run runs the loop; it returns after the close command.
func (l *Loop) Run() {
	defer close(l.done)
	if l.thread != nil {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		l.thread()
	}
	l.inbox.consumer.Run(l.round)
	l.inbox.close()
}

// round takes what the ready shards hold and submits what came of it.
func (l *Loop) round(ready queue.Ready) (more bool) {
	in := l.inbox
	for i, ok := ready.Next(); ok; i, ok = ready.Next() {
		switch i {
		case in.ticks.Index():
			drain(in.ticks, l.tick)
		case in.commands.Index():
			drain(in.commands, l.command)
		case in.stored.Index():
			drain(in.stored, l.stored)
		case in.proved.Index():
			drain(in.proved, l.proved)
		case in.region.Index():
			drain(in.region, l.region)
		default:
			drain(in.clients[i-in.clients[0].Index()], l.client)
		}
	}
	l.flush()
	return !l.closed
}

// flush guards the submitting of a round's effects.
func (l *Loop) flush() {
	defer l.rescue(0)
	l.core.Flush()
}

// tick and command are not about one session. A bug in them costs what they had left to do.
func (l *Loop) tick(t *tick) {
	defer l.rescue(0)
	l.core.Step(FromClock(t.now, t.wall))
	l.core.publish()
}

func (l *Loop) command(cmd *Command) {
	l.closed = l.closed || cmd.Kind == CommandClose
	defer l.rescue(0)
	l.core.Step(FromOperator(cmd))
}

// client, stored and proved guard each input: a bug that one client can reach costs that
// client's connection only.
func (l *Loop) client(m *codec.Message) {
	defer l.rescue(m.Conn)
	l.core.Step(FromClient(m))
}

func (l *Loop) stored(r *storage.Result) {
	defer l.rescue(codec.Conn(r.Tag))
	l.core.Step(FromStore(r))
}

func (l *Loop) proved(r *auth.Result) {
	defer l.rescue(codec.Conn(r.Tag))
	l.core.Step(FromPool(r))
}

func (l *Loop) region(e *worlds.Event) {
	defer l.rescue(0)
	l.core.Step(FromBus(e))
}

// rescue is deferred around an input about conn. After a panic it ends the session.
func (l *Loop) rescue(conn codec.Conn) {
	p := recover()
	if p == nil {
		return
	}
	l.fault(p)
	defer l.rescueAgain(conn)
	if s := l.core.sessions.get(conn); s != nil {
		l.core.end(s, endFault)
	}
}

// rescueAgain is deferred around the clean-up, which works on what the bug has left and may
// panic too. Then the session is taken out of the table as it is, and the connection is
// closed.
func (l *Loop) rescueAgain(conn codec.Conn) {
	p := recover()
	if p == nil {
		return
	}
	l.fault(p)
	if s := l.core.sessions.get(conn); s != nil {
		l.core.sessions.close(s)
	}
	l.core.effects.close(conn, codec.CloseFault)
}

func (l *Loop) fault(p any) {
	l.core.counters.panics.Add(1)
	l.core.rules.reset()
	l.core.signals.reset()
	l.core.options.Logger.Error("panic in the logic; the session was closed",
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

// close releases producers that wait for room: the loop has ended.
func (in *Inbox) close() {
	in.ticks.Close()
	in.commands.Close()
	in.stored.Close()
	in.proved.Close()
	in.region.Close()
	for _, shard := range in.clients {
		shard.Close()
	}
}

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
