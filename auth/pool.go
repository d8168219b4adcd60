package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"gatepass/auth/srp6"
)

// Errors of jobs that could not be done. (A wrong proof returns ErrProof or ErrPublicKey of
// srp6 or, for the native kinds, of srp6a.)
var (
	// ErrRandom: the random source failed; no Ephemeral and no native challenge was made.
	ErrRandom = errors.New("auth: random source failed")
	// ErrPanic: the job panicked. That is a bug in gatepass; Options.OnPanic gets the panic
	// value.
	ErrPanic = errors.New("auth: job panicked")
)

// JobKind is the kind of work of a Job.
type JobKind uint8

const (
	// JobMint makes one Ephemeral from the pool's random source.
	JobMint JobKind = iota + 1
	// JobProve verifies the proof in Exchange with Ephemeral.
	JobProve
	// JobNativeChallenge makes the server's half of Native: secret, B and nonce.
	JobNativeChallenge
	// JobNativeProve verifies the client's proof in Native and derives the keys.
	JobNativeProve
)

// String returns the kind's name, for logs.
func (k JobKind) String() string {
	switch k {
	case JobMint:
		return "mint"
	case JobProve:
		return "prove"
	case JobNativeChallenge:
		return "native-challenge"
	case JobNativeProve:
		return "native-prove"
	}
	return fmt.Sprintf("JobKind(%d)", uint8(k))
}

// Job is one unit of work: a plain value that owns all it holds.
type Job struct {
	Kind      JobKind
	Tag       uint64         // copied to the Result
	Ephemeral srp6.Ephemeral // JobProve
	Exchange  srp6.Exchange  // JobProve
	// Native is for the native kinds. The pool owns it until it comes back in the Result.
	Native *NativeExchange
}

// Result is the outcome of one Job.
type Result struct {
	Kind      JobKind
	Tag       uint64
	Err       error            // nil, ErrProof or ErrPublicKey of srp6 or srp6a, ErrRandom or ErrPanic
	Ephemeral srp6.Ephemeral   // JobMint without Err
	Random    [RandomSize]byte // JobMint without Err: random bytes for the rest of the login
	Key       srp6.SessionKey  // JobProve without Err
	M2        srp6.Proof       // JobProve without Err
	Native    *NativeExchange  // the Job's Native, with or without Err
}

// heavy reports whether a job of this kind takes a hundred times as long as the others.
func (k JobKind) heavy() bool { return k == JobNativeChallenge || k == JobNativeProve }

// RandomSize is the number of random bytes that come with each Ephemeral. That is enough for a
// native nonce, a PIN challenge (salt and seed) or, with 16 of them, a reconnect challenge.
const RandomSize = 32

// Limits of a Pool.
const (
	// defaultQueue is enough for all logins of half a second on one core. It takes 1 MiB.
	defaultQueue = 4096
	// defaultHeavy is enough for all native logins of half a second on one core.
	defaultHeavy = 1024
	// batch is the maximum number of jobs that a worker takes at once. It is large enough to
	// spread the cost of lock and delivery, and small enough that the first result waits at
	// most half a millisecond.
	batch = 64
	// share is the number of jobs that one worker keeps before it wakes another. A wake-up
	// costs about as much as one proof.
	share = 4
	// proofShare: one of this many places of the native ring is reserved for proofs.
	proofShare = 4
)

// Options configure a Pool. Only Deliver is required.
type Options struct {
	Workers int       // goroutines; 0 means one for each processor Go may use
	Queue   int       // jobs of the grunt kinds that may wait; 0 means 4096; beyond it Submit refuses
	Heavy   int       // jobs of the native kinds that may wait, beside the others, challenges up to 3/4 of it; 0 means 1024
	Random  io.Reader // what secrets are made of; nil means crypto/rand; read by one worker at a time

	// Deliver gets results on a worker's goroutine; several workers may call it at once. The
	// slice is overwritten after Deliver returns, so Deliver must not keep it. Deliver must
	// not call Close.
	Deliver func([]Result)

	// OnPanic gets, on a worker's goroutine, the value recovered from a panic in a job or in
	// Deliver; nil drops it.
	OnPanic func(recovered any)
}

// EnsureDefaults sets zero fields to their defaults.
func (o *Options) EnsureDefaults() {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	if o.Heavy == 0 {
		o.Heavy = defaultHeavy
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.OnPanic == nil {
		o.OnPanic = func(any) {}
	}
}

// Validate reports every fault at once.
func (o *Options) Validate() error {
	var faults []error
	if o.Workers < 0 {
		faults = append(faults, fmt.Errorf("auth: pool workers is %d, must not be negative", o.Workers))
	}
	if o.Queue < 0 {
		faults = append(faults, fmt.Errorf("auth: pool queue is %d, must not be negative", o.Queue))
	}
	if o.Heavy < 0 {
		faults = append(faults, fmt.Errorf("auth: pool heavy queue is %d, must not be negative", o.Heavy))
	}
	if o.Deliver == nil {
		faults = append(faults, errors.New("auth: pool has nobody to deliver to"))
	}
	return errors.Join(faults...)
}

// Stats are the counts of a Pool since it was made. Their metrics are declared here; see
// package counters.
type Stats struct {
	Queued  uint64 // jobs accepted by Submit; Queued - Done are waiting or in progress
	Refused uint64 `metric:"auth_refused_total" help:"Jobs for which the auth pool had no room."` // or the pool was closed
	Done    uint64 `metric:"auth_done_total" help:"Jobs done by the auth pool."`
	Panics  uint64 `metric:"auth_panics_total" help:"Panics in auth jobs."` // those of Deliver too
}

// Pool does the arithmetic of logins on its own goroutines.
//
// Jobs wait in bounded rings. A worker copies its share of them under the lock, and works and
// delivers without the lock. It wakes the next worker only if it leaves jobs behind. So a
// small batch stays on one core, a large one uses several, and no worker is woken without
// work. There is no ring per worker: the lock is not contended, because jobs take
// microseconds, and with common rings no job waits behind a busy worker while another worker
// sleeps.
//
// Native jobs take a hundred times as long, so they have a separate ring, and a worker takes
// one at a time, after a share of the others. So a grunt proof waits for at most one native
// job, and native logins get at least every other turn. Neither kind can use the other's
// space. A quarter of the native ring is reserved for proofs: anyone can ask for challenges,
// and a ring full of challenges must not block the proofs of clients that were challenged
// before.
type Pool struct {
	// Static after NewPool.
	options Options
	workers sync.WaitGroup

	// Guarded by mu.
	mu     sync.Mutex
	wake   *sync.Cond
	light  ring
	heavy  ring
	idle   int  // workers that sleep, or have been woken and not yet run
	waking bool // one of them has been woken and has not yet run
	closed bool

	// random guards Options.Random, which need not be safe for concurrent use.
	random sync.Mutex

	// Counters, for any goroutine.
	queued, refused, done, panics atomic.Uint64
}

// NewPool returns a Pool and starts its workers. The error reports faults in the options.
func NewPool(o Options) (*Pool, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.EnsureDefaults()
	p := &Pool{options: o, light: newRing(o.Queue), heavy: newRing(o.Heavy)}
	p.wake = sync.NewCond(&p.mu)
	for range o.Workers {
		p.workers.Go(func() { newWorker(p).run() })
	}
	return p, nil
}

// Submit adds jobs to the queue and returns how many were accepted. The rest are refused
// because the queue of their kind is full or the pool is closed. Submit moves the refused ones
// to the end of jobs, so they are jobs[n:]; of each kind the first ones are accepted. It
// copies the jobs, never blocks, and may be called from any goroutine.
func (p *Pool) Submit(jobs []Job) (n int) {
	p.mu.Lock()
	for i := range jobs {
		if p.closed || !p.pushLocked(&jobs[i]) {
			continue
		}
		if i != n {
			jobs[i], jobs[n] = jobs[n], jobs[i]
		}
		n++
	}
	// Counted before a worker can deliver, so that Done never exceeds Queued.
	p.queued.Add(uint64(n))
	p.wakeLocked()
	p.mu.Unlock()
	p.refused.Add(uint64(len(jobs) - n))
	return n
}

func (p *Pool) pushLocked(j *Job) bool {
	switch {
	case j.Kind == JobNativeChallenge:
		return p.heavy.push(j, len(p.heavy.jobs)/proofShare)
	case j.Kind.heavy():
		return p.heavy.push(j, 0)
	}
	return p.light.push(j, 0)
}

// take moves a share of the waiting jobs to the front of into, a heavy one last, and returns
// how many. It blocks while there is nothing to do. It returns 0 when the pool is closed and
// no jobs wait.
func (p *Pool) take(into []Job) (n int) {
	p.mu.Lock()
	for p.waitingLocked() == 0 && !p.closed {
		p.idle++
		p.wake.Wait()
		p.idle--
		p.waking = false
	}
	fair := (p.light.waiting + p.options.Workers - 1) / p.options.Workers
	n = p.light.pop(into[:min(max(fair, share), batch)])
	n += p.heavy.pop(into[n : n+1])
	p.wakeLocked()
	p.mu.Unlock()
	return n
}

func (p *Pool) waitingLocked() int { return p.light.waiting + p.heavy.waiting }

// wakeLocked wakes one worker if there is work for it and no other worker is waking up; that
// other worker wakes the next one if it leaves work behind. So many small Submits in a row
// cost one wake-up.
func (p *Pool) wakeLocked() {
	if p.waitingLocked() > 0 && p.idle > 0 && !p.waking {
		p.waking = true
		p.wake.Signal()
	}
}

// Close refuses further jobs. It returns when all accepted jobs are delivered and the workers
// have ended. Any goroutine except a worker's may call it, any number of times.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
	p.workers.Wait()
}

// Stats returns the counts. It may be called from any goroutine.
func (p *Pool) Stats() Stats {
	// Done is read first, so that it never exceeds Queued.
	done := p.done.Load()
	return Stats{Queued: p.queued.Load(), Refused: p.refused.Load(), Done: done, Panics: p.panics.Load()}
}

// Idle reports whether every accepted job has been delivered. Any goroutine.
func (p *Pool) Idle() bool { return p.done.Load() == p.queued.Load() }
