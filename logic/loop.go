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

// Loop is the logic goroutine: it drains the inbox into the core until it takes
// the close command. Where the inbox lends, a round may run on the goroutine
// that brought a message to a sleeping loop; there is never more than one.
type Loop struct {
	core  *Core
	inbox *Inbox
	// thread is called once the loop is on a thread of its own, to pin it; nil
	// leaves the goroutine to the scheduler.
	thread func()
	done   chan struct{}
	closed bool
}

// NewLoop makes a loop. With a thread function it locks its goroutine to a
// thread and calls it there; the inbox must then not lend.
func NewLoop(core *Core, inbox *Inbox, thread func()) *Loop {
	return &Loop{core: core, inbox: inbox, thread: thread, done: make(chan struct{})}
}

// Done is closed when the loop has ended.
func (l *Loop) Done() <-chan struct{} { return l.done }

// Run is the goroutine.
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

// tick and command concern no one session; a bug in them costs what they had
// left to do.
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

// client, stored and proved guard each message: a bug that one client can reach
// costs that client and nobody else.
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

// rescue is deferred around a message about conn.
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

// rescueAgain is deferred around the clean-up, which meets the state that the bug has
// left and may panic too. Then the session is forgotten as it is: the connection is
// closed, and what comes of that finds nobody.
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
	l.core.count.panics.Add(1)
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
