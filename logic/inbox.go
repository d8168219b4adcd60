package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/queue"
	"gatepass/storage"
	"gatepass/worlds"
)

// Inbox is where every source leaves what it has for the logic: one shard a
// producer, each in the type of what it carries. The Loop takes the shards in
// the order of their fields, time first.
type Inbox struct {
	consumer *queue.Consumer
	ticks    *queue.Shard[tick]
	commands *queue.Shard[Command]
	stored   *queue.Shard[storage.Result]
	proved   *queue.Shard[auth.Result]
	region   *queue.Shard[worlds.Event]
	clients  []*queue.Shard[codec.Message] // one a reactor
}

// NewInbox makes an inbox for so many reactors, each with room for limit
// messages. With lend, whoever brings a message while the logic sleeps runs it
// (see queue.Consumer). resume is called on the logic goroutine when a reactor that found
// no room may try again; it must not block.
func NewInbox(reactors, limit int, lend bool, resume func(reactor int)) *Inbox {
	c := queue.NewConsumer(queue.ConsumerOptions{Lend: lend})
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

// tick is a moment by two clocks; see Core.Tick.
type tick struct{ now, wall int64 }

// Tick leaves the time, as Core.Tick wants it. When the logic is several ticks
// behind it is dropped: the next will do.
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

// close lets go of producers that wait: nobody will take anything any more.
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

// Offer leaves the message of a new connection, which is refused earlier.
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
