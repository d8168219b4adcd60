package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/patches"
	"gatepass/storage"
	"gatepass/worlds"
)

// Outbox sends to the clients. Its methods are called on the logic goroutine only. What is
// sent reaches the sockets after Flush, in order for each connection. False means that
// there was no room: the caller must then close the connection.
type Outbox interface {
	// Send queues a reply; *r is copied.
	Send(conn codec.Conn, r *codec.Reply) bool
	// SendLast queues a reply and closes the connection behind it.
	SendLast(conn codec.Conn, r *codec.Reply) bool
	// StartTransfer begins to send a file; *t is never changed afterwards. When it ends, a
	// codec.KindTransferEnded comes.
	StartTransfer(conn codec.Conn, t *codec.Transfer) bool
	// SendFrame queues bytes that are encoded already and never change again.
	SendFrame(conn codec.Conn, frame []byte) bool
	// Broadcast queues such bytes once for many; targets is not to be changed
	// afterwards.
	Broadcast(targets []codec.Conn, frame []byte) bool
	// Close closes a connection behind everything queued for it.
	Close(conn codec.Conn, reason codec.CloseReason) bool
	// Flush hands over what was queued.
	Flush()
}

// Versions decides which clients may log in and which are brought up to date, by what they
// run; see patches.Set.
type Versions interface {
	Judge(c patches.Client) patches.Verdict
}

// Store takes storage requests; see storage.Store. Results come to the Inbox.
type Store interface {
	Submit(ops []storage.Op) int
}

// Prover takes jobs for the auth pool; see auth.Pool. Results come to the
// Inbox.
type Prover interface {
	Submit(jobs []auth.Job) int
}

// WorldList gives the list of worlds as a client is sent it; see worlds.List.
type WorldList interface {
	// FrameFor is the list for existing clients. Its bytes never change; clients that see
	// the same list share them.
	FrameFor(ask worlds.Ask) ([]byte, error)
	// Publish makes the list as it is now the next version for native clients, if it
	// differs from the last one.
	Publish(stale bool) (changed bool)
	// Version is the last one published.
	Version() uint64
	// NativeSnapshot and NativeDelta are the last version, whole and as a change of
	// the one before; their bytes never change.
	NativeSnapshot(ask worlds.Ask) ([]byte, error)
	NativeDelta(ask worlds.Ask) ([]byte, error)
	// NativeFind is a world as it is now.
	NativeFind(id uint8, ask worlds.Ask) (worlds.NativeWorld, bool)
	// Alternatives are worlds that would take the client, the emptiest first.
	Alternatives(ask worlds.Ask, except uint8) []uint8
}

// Region is this server's copy of the region's worlds; see worlds.Member. Times
// are those of the ticks.
type Region interface {
	Change(c *worlds.Change, now int64) worlds.MemberNeeds
	Snapshot(s *worlds.Snapshot, now int64) worlds.MemberNeeds
	Pulse(p *worlds.Pulse, now int64) worlds.MemberNeeds
	Tick(now int64) worlds.MemberNeeds
	// Stale tells whether nothing was heard of the manager for a while.
	Stale() bool
}

// Bus sends to the other nodes of the region. What they send comes to the Inbox.
type Bus interface {
	// Submit never blocks and keeps nothing of effects. Like datagrams, they may
	// get lost.
	Submit(effects []worlds.Effect)
}

// clock is the time that the last tick told, in milliseconds.
type clock struct {
	// now is of a clock that only goes forward, wall the time of day.
	now, wall int64
	// whole is the next time at which a tick is a whole one.
	whole int64
}

// base is what every part of the Core may use: the options, the time, the list of what
// this round sends to the pools, and the counters.
type base struct {
	options *Options
	*clock
	effects *effects
	count   *counters
}

// desk is what a part may do with sessions.
type desk interface {
	// session returns the session of a connection, or nil.
	session(conn codec.Conn) *session
	// each calls f for every session.
	each(f func(*session))
	// say sends a reply, sendFrame bytes that are encoded already. Without room in the
	// send queue the session ends.
	say(s *session, r codec.Reply)
	sendFrame(s *session, frame []byte)
	// become puts a session into another state.
	become(s *session, id StateID)
	// end ends a session; see endReason.
	end(s *session, why endReason)
	endSaying(s *session, why endReason, text string)
}

// askOf says for whom a list of worlds is.
func askOf(s *session) worlds.Ask {
	return worlds.Ask{Build: s.build, Peer: s.peer, Characters: s.characters}
}

// effects is what a round has gathered for the pools and the reactors; the Core submits
// it at the end of the round.
type effects struct {
	store  Store
	prover Prover
	out    Outbox
	clock  *clock
	count  *counters

	ops []storage.Op
	// notes are counts of characters: no client waits for them. notesAt is the tick with
	// which the last ones were submitted.
	notes   []storage.Op
	notesAt int64
	jobs    []auth.Job
	// closes are the connections whose close found no room yet.
	closes []codec.Conn
}

// refused handles what a pool has no room for.
type refused interface {
	opRefused(op *storage.Op)
	jobRefused(job *auth.Job)
}

// request asks something of the store.
func (e *effects) request(op storage.Op) { e.ops = append(e.ops, op) }

// prove gives the auth pool a job.
func (e *effects) prove(job auth.Job) { e.jobs = append(e.jobs, job) }

// note stores a count of characters. There is room for so many a tick: the world reports
// the count again with the next change.
func (e *effects) note(op storage.Op) {
	if len(e.notes) == notesRound {
		e.count.notesDropped.Add(1)
		return
	}
	e.notes = append(e.notes, op)
}

// close queues a close, or keeps it until there is room.
func (e *effects) close(conn codec.Conn, reason codec.CloseReason) {
	if !e.out.Close(conn, reason) {
		e.closes = append(e.closes, conn)
	}
}

// submitJobs gives the auth pool its jobs.
func (e *effects) submitJobs(r refused) {
	if len(e.jobs) == 0 {
		return
	}
	defer func() { // also after a panic: nothing may be submitted twice
		clear(e.jobs) // they hold secrets
		e.jobs = e.jobs[:0]
	}()
	for i := e.prover.Submit(e.jobs); i < len(e.jobs); i++ {
		e.count.jobsRefused.Add(1)
		if x := e.jobs[i].Native; x != nil {
			x.Wipe()
		}
		r.jobRefused(&e.jobs[i])
	}
}

// submitOps gives the store its requests.
func (e *effects) submitOps(r refused) {
	if len(e.ops) == 0 {
		return
	}
	defer func() { e.ops = e.ops[:0] }()
	for i := e.store.Submit(e.ops); i < len(e.ops); i++ {
		e.count.opsRefused.Add(1)
		r.opRefused(&e.ops[i])
	}
}

// submitNotes comes last, and not more often than once a tick: the worlds' reports take no
// room from the requests that clients wait for.
func (e *effects) submitNotes() {
	if len(e.notes) == 0 || e.notesAt == e.clock.whole {
		return
	}
	e.notesAt = e.clock.whole
	taken := e.store.Submit(e.notes)
	e.count.notesDropped.Add(uint64(len(e.notes) - taken))
	e.notes = e.notes[:0]
}

// submitCloses tries those again that found no room.
func (e *effects) submitCloses() {
	for len(e.closes) > 0 && e.out.Close(e.closes[0], codec.CloseOverload) {
		e.closes = e.closes[1:]
	}
}
