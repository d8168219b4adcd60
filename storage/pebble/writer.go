package pebble

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"gatepass/storage"
)

const (
	// maxGroup bounds the requests of one group, groupBytes the size of its batch.
	// Both bound memory: a sync costs the same for one request and for many.
	maxGroup   = 4096
	groupBytes = 2 << 20
	// noteEvery bounds how long a note stays in the queue; notesEnough notes wake the
	// writer sooner. At 1,000 logins a second the writer wakes 50 times.
	noteEvery   = 20 * time.Millisecond
	notesEnough = 512
	// syncsAhead is how many groups may be applied while an earlier one is synced. Pebble
	// syncs everything written so far with one call.
	syncsAhead = 1
)

// writer is the one goroutine that changes the store, and a second one that waits for
// syncs, so that the first can apply the next group meanwhile:
//
//	queue ─▶ run: group ─apply─▶ Pebble's log ──┐
//	            │ only notes: delivered          ▼ sync
//	            └────────── waited for ───▶ settle ─▶ delivered
//
// A group takes all requests that arrived while earlier groups were being applied, so
// groups are larger on a slower disk.
type writer struct {
	// Static after startWriter.
	db       *pebble.DB
	failStop *failStop
	queue    *queue
	deliver  func([]storage.Result)
	every    time.Duration // Options.FlushEvery
	syncing  chan syncGroup
	ended    sync.WaitGroup

	noteTimer  *time.Timer // wakes run for notes in the queue
	flushTimer *time.Timer // wakes run for notes without a sync
	flushDue   atomic.Bool

	// Owned by run.
	builder  *builder
	unsynced bool             // notes are applied and not synced
	spare    []storage.Result // room for the results of groups of notes

	stats writerStats
}

// syncGroup is a group that is being synced.
type syncGroup struct {
	*group
	since time.Time
	// in is the number of a log that is not newer than the group's. end is the sequence
	// number after the group.
	in, end uint64
}

func startWriter(db *pebble.DB, f *failStop, o *Options) *writer {
	w := &writer{
		db: db, failStop: f, deliver: o.Deliver, every: o.FlushEvery,
		queue:   newQueue(o.QueueLimit, notesEnough),
		syncing: make(chan syncGroup, syncsAhead),
		builder: newBuilder(db),
	}
	w.noteTimer = stoppedTimer(w.queue.wake)
	w.flushTimer = stoppedTimer(func() {
		w.flushDue.Store(true)
		w.queue.wake()
	})
	w.ended.Go(w.run)
	w.ended.Go(w.settle)
	return w
}

func stoppedTimer(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// note queues notes. Any goroutine.
func (w *writer) note(ops []storage.Op) int {
	n, dozing := w.queue.push(ops, false)
	if dozing {
		w.noteTimer.Reset(noteEvery)
	}
	return n
}

// run builds and applies groups until the queue is closed and empty.
func (w *writer) run() {
	defer close(w.syncing)
	ops := make([]storage.Op, 0, notesEnough)
	for open := true; open; {
		ops, open = w.queue.take(ops[:0], maxGroup)
		for left := ops; len(left) > 0; {
			left = left[w.commit(left):]
		}
		if w.unsynced && (!open || w.flushDue.Load()) {
			w.flush()
		}
		clear(ops)
	}
}

// commit applies a group of the first requests and returns how many they are.
func (w *writer) commit(ops []storage.Op) int {
	if err := w.failStop.failure(); err != nil {
		w.refuse(ops, err)
		return len(ops)
	}
	b := w.builder
	b.begin(w.spare[:0])
	n := 0
	for n < len(ops) && b.group.batch.Len() < groupBytes {
		b.add(&ops[n])
		n++
	}
	g, err := b.end()
	if err != nil {
		w.failStop.fail(err) // a batch in memory should not fail; if it does, stop all writes
	}
	w.stats.group(len(g.results))
	if g.waited {
		w.spare = nil // settle still uses the results
		w.sync(g)
	} else {
		w.applyNotes(g)
	}
	return n
}

// sync applies a group and passes it to settle, which waits for the sync.
func (w *writer) sync(g *group) {
	w.unsynced = false // the sync includes all earlier notes
	w.flushDue.Store(false)
	w.flushTimer.Stop()
	// Pebble does not sync an empty batch, and a group may consist of refusals. An empty
	// log record makes it the same case as all others.
	in := w.failStop.keeper.newestLog()
	err := g.batch.LogData(nil, nil)
	if err == nil {
		err = w.db.ApplyNoSyncWait(g.batch, pebble.Sync)
	}
	if err != nil {
		w.failStop.fail(err)
	}
	end := uint64(g.batch.SeqNum()) + uint64(g.batch.Count())
	w.syncing <- syncGroup{group: g, since: time.Now(), in: in, end: end}
}

// flush syncs notes if no other write has done so.
func (w *writer) flush() {
	w.sync(&group{batch: w.db.NewBatch()})
}

// applyNotes applies a group of notes. Their log record stays in memory until the next
// sync.
func (w *writer) applyNotes(g *group) {
	if !g.batch.Empty() {
		if err := w.db.Apply(g.batch, pebble.NoSync); err != nil {
			w.failStop.fail(err)
		}
		if !w.unsynced {
			w.unsynced = true
			w.flushTimer.Reset(w.every)
		}
	}
	_ = g.batch.Close()
	w.answer(g.results)
	w.spare = g.results[:0]
}

// settle waits for the syncs, in order, and then delivers the results.
func (w *writer) settle() {
	for g := range w.syncing {
		if err := g.batch.SyncWait(); err != nil {
			w.failStop.fail(err)
		}
		_ = w.failStop.change(func() error { return w.failStop.keeper.acked(g.in, g.end) })
		w.stats.synced(time.Since(g.since))
		_ = g.batch.Close()
		w.answer(g.results)
	}
}

// answer delivers results. After a failure of the disk no change is certain to be stored,
// so all results get the failure.
func (w *writer) answer(results []storage.Result) {
	if len(results) == 0 {
		return
	}
	if err := w.failStop.failure(); err != nil {
		for i := range results {
			results[i].Err = err
		}
	}
	n := len(results)
	w.deliver(results)
	w.queue.answered(n)
	clear(results)
}

// refuse answers requests with an error.
func (w *writer) refuse(ops []storage.Op, err error) {
	results := make([]storage.Result, len(ops))
	for i := range ops {
		results[i] = storage.Result{Kind: ops[i].Kind, Tag: ops[i].Tag, Name: ops[i].Name, Err: err}
	}
	w.answer(results)
}

// stop returns when all requests taken are synced and answered. The queue must be closed.
func (w *writer) stop() {
	w.ended.Wait()
	w.noteTimer.Stop()
	w.flushTimer.Stop()
}
