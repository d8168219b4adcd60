package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

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
