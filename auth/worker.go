package auth

import (
	"io"
	"runtime"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6"
)

// worker is one goroutine of a Pool and the buffers that it reuses. Only that goroutine uses
// it. While the worker sleeps, the buffers contain no secrets.
type worker struct {
	pool    *Pool
	jobs    []Job
	results []Result
	random  []byte // mintSize bytes for each mint of a batch
}

// mintSize is how many random bytes one mint takes: the secret, and Result.Random.
const mintSize = srp6.SecretSize + RandomSize

func newWorker(p *Pool) *worker {
	return &worker{
		pool:    p,
		jobs:    make([]Job, batch+1), // one heavy job besides the others
		results: make([]Result, batch),
		random:  make([]byte, batch*mintSize),
	}
}

// run works until the pool is closed and empty.
func (w *worker) run() {
	for {
		n := w.pool.take(w.jobs)
		if n == 0 {
			return
		}
		light := n
		if w.jobs[n-1].Kind.heavy() {
			light--
		}
		// Deliver the finished jobs before the long job begins.
		w.work(w.jobs[:light], w.results[:light])
		if light < n {
			w.work(w.jobs[light:n], w.results[:1])
			// Other goroutines may have waited for this processor.
			runtime.Gosched()
		}
	}
}

// work does one batch of jobs, delivers the results and wipes both.
func (w *worker) work(jobs []Job, results []Result) {
	if len(jobs) == 0 {
		return
	}
	random := w.draw(jobs)
	for i := range jobs {
		results[i] = Result{Kind: jobs[i].Kind, Tag: jobs[i].Tag, Native: jobs[i].Native}
		switch jobs[i].Kind {
		case JobMint:
			random = w.mint(&results[i], random)
		case JobNativeChallenge:
			w.challengeNative(&results[i])
		case JobNativeProve:
			w.proveNative(&results[i])
		default:
			w.prove(&results[i], &jobs[i])
		}
	}
	w.deliver(results)
	clear(jobs)
	clear(results)
	clear(w.random)
	w.pool.done.Add(uint64(len(jobs)))
}

// draw returns the random bytes for all mints of a batch, read at once; none if the source
// fails.
func (w *worker) draw(jobs []Job) (random []byte) {
	mints := 0
	for i := range jobs {
		if jobs[i].Kind == JobMint {
			mints++
		}
	}
	if mints == 0 || !w.read(w.random[:mints*mintSize]) {
		return nil
	}
	return w.random[:mints*mintSize]
}

// read fills b from the pool's random source. It returns false if the source fails.
func (w *worker) read(b []byte) (ok bool) {
	w.pool.random.Lock()
	defer w.pool.random.Unlock()
	defer w.recovered(nil)
	_, err := io.ReadFull(w.pool.options.Random, b)
	return err == nil
}

// mint makes one Ephemeral and returns the unused random bytes.
func (w *worker) mint(r *Result, random []byte) []byte {
	if len(random) == 0 {
		r.Err = ErrRandom
		return nil
	}
	r.Ephemeral = srp6.NewEphemeral((*[srp6.SecretSize]byte)(random))
	copy(r.Random[:], random[srp6.SecretSize:])
	return random[mintSize:]
}

// prove verifies one proof.
func (w *worker) prove(r *Result, job *Job) {
	defer w.recovered(r)
	if job.Kind != JobProve {
		panic("auth: job of unknown kind")
	}
	r.Key, r.M2, r.Err = job.Ephemeral.Verify(&job.Exchange)
}

// challengeNative makes the server's half of a native exchange.
func (w *worker) challengeNative(r *Result) {
	defer w.recovered(r)
	var random [64]byte
	defer clear(random[:])
	if !w.read(random[:]) {
		r.Err = ErrRandom
		return
	}
	x := r.Native
	x.ServerNonce = [32]byte(random[32:])
	x.Server.Challenge((*[32]byte)(random[:]))
}

// proveNative verifies a native proof and derives the keys. It wipes the secret exponent,
// which is not needed afterwards.
func (w *worker) proveNative(r *Result) {
	x := r.Native
	defer w.recovered(r)
	defer x.Server.Wipe()
	x.M2, x.Keys = [32]byte{}, keyschedule.Keys{}
	secret, m2, err := x.Server.Verify(x.A, &x.M1)
	if err != nil {
		r.Err = err
		return
	}
	nonces := keyschedule.Nonces{Client: x.ClientNonce, Server: x.ServerNonce}
	x.M2, x.Keys = m2, keyschedule.Password(secret, &nonces, &x.Transcript)
	clear(secret)
}

// deliver calls Deliver with the results. A panic in Deliver does not end the worker, because
// other logins need it.
func (w *worker) deliver(results []Result) {
	defer w.recovered(nil)
	w.pool.options.Deliver(results)
}

// recovered is deferred. It counts a panic and, if there is a result, sets that result's
// error.
func (w *worker) recovered(r *Result) {
	reason := recover()
	if reason == nil {
		return
	}
	w.pool.panics.Add(1)
	w.pool.options.OnPanic(reason)
	if r != nil {
		*r = Result{Kind: r.Kind, Tag: r.Tag, Native: r.Native, Err: ErrPanic}
	}
}
