package auth

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gatepass/auth/srp6"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mustPool starts a pool and closes it with the test.
func mustPool(t testing.TB, o Options) *Pool {
	t.Helper()
	p, err := NewPool(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// mustSubmit fails unless all jobs are accepted.
func mustSubmit(t testing.TB, p *Pool, jobs ...Job) {
	t.Helper()
	if n := p.Submit(jobs); n != len(jobs) {
		t.Fatalf("%d of %d jobs taken", n, len(jobs))
	}
}

// mints returns n jobs with consecutive tags.
func mints(first uint64, n int) (jobs []Job) {
	for i := range n {
		jobs = append(jobs, Job{Kind: JobMint, Tag: first + uint64(i)})
	}
	return jobs
}

// collector keeps copies of what a pool delivers.
type collector struct {
	mu      sync.Mutex
	results map[uint64]Result
	doubled int
}

func (c *collector) deliver(rs []Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.results == nil {
		c.results = map[uint64]Result{}
	}
	for _, r := range rs {
		if _, ok := c.results[r.Tag]; ok {
			c.doubled++
		}
		c.results[r.Tag] = r
	}
}

// gate lets a test hold a pool's workers inside Deliver.
type gate struct {
	entered chan int      // number of results, once a worker is inside
	leave   chan struct{} // one value lets one worker out
}

func newGate() gate { return gate{make(chan int), make(chan struct{})} }

func (g gate) deliver(rs []Result) {
	g.entered <- len(rs)
	<-g.leave
}

// prove returns a proof job for an account with the password "SECRET" and a client that enters
// the given one.
func prove(t testing.TB, tag uint64, e srp6.Ephemeral, typed string) Job {
	t.Helper()
	x := srp6.Exchange{Name: [srp6.MaxName]byte{'A'}, Salt: srp6.Salt{1, 31: 1}}
	x.Verifier = srp6.NewVerifier(&x.Salt, "A", "SECRET")
	x.B = e.PublicKey(&x.Verifier)
	c := srp6.NewClient("A", typed, &[32]byte{byte(tag), 9})
	m1, err := c.Respond(&x.B, &x.Salt)
	if err != nil {
		t.Fatal(err)
	}
	x.A, x.M1 = c.PublicKey(), m1
	return Job{Kind: JobProve, Tag: tag, Ephemeral: e, Exchange: x}
}

func TestPool_MintsThenProves(t *testing.T) {
	var minted, proved collector
	first := mustPool(t, Options{Workers: 2, Deliver: minted.deliver})
	mustSubmit(t, first, mints(0, 100)...)
	first.Close()
	second := mustPool(t, Options{Workers: 2, Deliver: proved.deliver})
	seen := map[srp6.PublicKey]bool{}
	for tag, r := range minted.results {
		if r.Kind != JobMint || r.Err != nil {
			t.Fatalf("mint %d: %v", tag, r.Err)
		}
		seen[r.Ephemeral.PublicKey(&srp6.Verifier{1})] = true
		typed := "secret"
		if tag%4 == 3 {
			typed = "wrong"
		}
		job := prove(t, tag, r.Ephemeral, typed)
		if tag%4 == 2 {
			job.Exchange.A = srp6.PublicKey{}
		}
		mustSubmit(t, second, job)
	}
	second.Close()
	if len(seen) != 100 || len(proved.results) != 100 {
		t.Fatalf("%d different ephemerals, %d results", len(seen), len(proved.results))
	}
	want := []error{nil, nil, srp6.ErrPublicKey, srp6.ErrProof}
	for tag, r := range proved.results {
		if !errors.Is(r.Err, want[tag%4]) || (r.Key == srp6.SessionKey{}) != (r.Err != nil) || r.Kind != JobProve {
			t.Errorf("proof %d: %v", tag, r.Err)
		}
	}
}

func TestPool_ManyProducers_EachJobOnce(t *testing.T) {
	var got collector
	p := mustPool(t, Options{Workers: 3, Queue: 37, Deliver: got.deliver})
	var producers sync.WaitGroup
	var refused atomic.Uint64
	for producer := range uint64(4) {
		producers.Go(func() {
			for rest := mints(producer*1000, 300); len(rest) > 0; {
				offer := rest[:min(len(rest), 1+len(rest)%11)]
				n := p.Submit(offer)
				refused.Add(uint64(len(offer) - n))
				rest = rest[n:]
			}
		})
	}
	producers.Wait()
	p.Close()
	if len(got.results) != 1200 || got.doubled != 0 {
		t.Errorf("%d results, %d doubled", len(got.results), got.doubled)
	}
	if s, want := p.Stats(), (Stats{Queued: 1200, Done: 1200, Refused: refused.Load()}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

func TestPool_FullQueue_Refuses(t *testing.T) {
	g := newGate()
	p := mustPool(t, Options{Workers: 1, Queue: 5, Deliver: g.deliver})
	mustSubmit(t, p, mints(0, 1)...)
	<-g.entered
	if n := p.Submit(mints(1, 8)); n != 5 {
		t.Errorf("took %d of 8 with room for 5", n)
	}
	if n := p.Submit(mints(9, 1)); n != 0 {
		t.Errorf("took %d with room for none", n)
	}
	if s := p.Stats(); s != (Stats{Queued: 6, Refused: 4}) {
		t.Errorf("%+v", s)
	}
	g.leave <- struct{}{}
	if n := <-g.entered; n != 5 {
		t.Errorf("second batch has %d", n)
	}
	g.leave <- struct{}{}
}

func TestPool_Batch_SpreadsOverWorkers(t *testing.T) {
	g := newGate()
	p := mustPool(t, Options{Workers: 2, Deliver: g.deliver})
	mustSubmit(t, p, mints(0, 4*share)...)
	// Both are inside Deliver at once, or this never returns.
	if a, b := <-g.entered, <-g.entered; a+b > 4*share || a < share || b < share {
		t.Errorf("shares of %d and %d", a, b)
	}
	go func() {
		for range 2 {
			g.leave <- struct{}{}
		}
		for range g.entered {
			g.leave <- struct{}{}
		}
	}()
	p.Close()
	close(g.entered)
}

func TestPool_SmallBatch_StaysWithOneWorker(t *testing.T) {
	g := newGate()
	p := mustPool(t, Options{Workers: 2, Deliver: g.deliver})
	mustSubmit(t, p, mints(0, share)...)
	if n := <-g.entered; n != share {
		t.Errorf("%d of %d", n, share)
	}
	g.leave <- struct{}{}
}

// countingReader returns predictable bytes and counts the reads.
type countingReader struct{ reads int }

func (r *countingReader) Read(b []byte) (int, error) {
	r.reads++
	for i := range b {
		b[i] = byte(r.reads + i)
	}
	return len(b), nil
}

func TestPool_Random_IsReadOnceABatch(t *testing.T) {
	var got collector
	random := &countingReader{}
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	first := true
	p := mustPool(t, Options{Workers: 1, Random: random, Deliver: func(rs []Result) {
		if first {
			first = false
			entered <- struct{}{}
			<-leave
		}
		got.deliver(rs)
	}})
	mustSubmit(t, p, mints(0, 1)...)
	<-entered
	mustSubmit(t, p, mints(1, 20)...)
	leave <- struct{}{}
	p.Close()
	if random.reads != 2 || len(got.results) != 21 {
		t.Errorf("%d reads for two batches, %d results", random.reads, len(got.results))
	}
	want := srp6.NewEphemeral(&[srp6.SecretSize]byte{
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	})
	if got.results[0].Ephemeral != want {
		t.Error("the first ephemeral is not made of the first random bytes")
	}
	if r := got.results[0].Random; r[0] != 20 || r[RandomSize-1] != 20+RandomSize-1 {
		t.Errorf("the random bytes are not those behind the ephemeral's: %v", r)
	}
}

// readerFunc is an io.Reader made of a function.
type readerFunc func(b []byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestPool_RandomFails_MintsAreAnsweredProofsAreDone(t *testing.T) {
	for name, random := range map[string]readerFunc{
		"error": func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF },
		"short": func(b []byte) (int, error) { return 1, io.ErrUnexpectedEOF },
		"panic": func([]byte) (int, error) { panic("reader") },
	} {
		t.Run(name, func(t *testing.T) {
			var got collector
			p := mustPool(t, Options{Workers: 1, Random: random, Deliver: got.deliver})
			good := prove(t, 7, srp6.NewEphemeral(&[srp6.SecretSize]byte{1}), "secret")
			mustSubmit(t, p, append(mints(0, 2), good)...)
			p.Close()
			if !errors.Is(got.results[0].Err, ErrRandom) || !errors.Is(got.results[1].Err, ErrRandom) {
				t.Errorf("mints: %v, %v", got.results[0].Err, got.results[1].Err)
			}
			if got.results[0].Ephemeral != (srp6.Ephemeral{}) || got.results[7].Err != nil {
				t.Errorf("an ephemeral without randomness, or proof: %v", got.results[7].Err)
			}
		})
	}
}

func TestPool_PanickingJob_IsAnsweredAndCounted(t *testing.T) {
	var got collector
	var told []string
	p := mustPool(t, Options{
		Workers: 1, Deliver: got.deliver,
		OnPanic: func(reason any) { told = append(told, fmt.Sprint(reason)) },
	})
	mustSubmit(t, p, Job{Kind: JobMint, Tag: 1}, Job{Kind: 99, Tag: 2}, Job{Kind: JobMint, Tag: 3})
	p.Close()
	if r := got.results[2]; !errors.Is(r.Err, ErrPanic) || r.Kind != 99 {
		t.Errorf("%v", r.Err)
	}
	if got.results[1].Err != nil || got.results[3].Err != nil {
		t.Errorf("neighbours: %v, %v", got.results[1].Err, got.results[3].Err)
	}
	if len(told) != 1 || !strings.Contains(told[0], "unknown kind") || p.Stats().Panics != 1 {
		t.Errorf("told %q, %+v", told, p.Stats())
	}
}

func TestPool_PanickingDeliver_DoesNotEndTheWorker(t *testing.T) {
	delivered := make(chan struct{}, 1)
	calls := 0
	p := mustPool(t, Options{Workers: 1, Deliver: func([]Result) {
		calls++
		delivered <- struct{}{}
		if calls == 1 {
			panic("deliver")
		}
	}})
	for range 2 {
		mustSubmit(t, p, mints(0, 1)...)
		<-delivered
	}
	p.Close()
	if s := p.Stats(); s.Panics != 1 || s.Done != 2 {
		t.Errorf("%+v", s)
	}
}

func TestPool_Close_DeliversWhatWasTaken(t *testing.T) {
	var got collector
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p := mustPool(t, Options{Workers: 1, Deliver: func(rs []Result) {
		once.Do(func() { close(entered); <-leave })
		got.deliver(rs)
	}})
	mustSubmit(t, p, mints(0, 1)...)
	<-entered
	mustSubmit(t, p, mints(1, 200)...)
	var closers sync.WaitGroup
	for range 3 {
		closers.Go(p.Close)
	}
	close(leave)
	closers.Wait()
	if len(got.results) != 201 {
		t.Errorf("%d of 201 delivered", len(got.results))
	}
	if n := p.Submit(mints(300, 2)); n != 0 || p.Stats().Refused != 2 {
		t.Errorf("a closed pool took %d, %+v", n, p.Stats())
	}
}

func TestPool_LeavesNoSecretsBehind(t *testing.T) {
	var lent [][]Result
	p := mustPool(t, Options{Workers: 1, Queue: 16, Deliver: func(rs []Result) { lent = append(lent, rs) }})
	e := srp6.NewEphemeral(&[srp6.SecretSize]byte{1})
	mustSubmit(t, p, append(mints(0, 10), prove(t, 10, e, "secret"), prove(t, 11, e, "secret"))...)
	p.Close()
	for _, results := range lent {
		for i, r := range results {
			if r != (Result{}) {
				t.Errorf("result %d is left", i)
			}
		}
	}
	for i, job := range p.light.jobs {
		if job != (Job{}) {
			t.Errorf("job %d is left in the queue", i)
		}
	}
}

func TestWorker_LeavesNoSecretsBehind(t *testing.T) {
	p := mustPool(t, Options{Workers: 1, Deliver: func([]Result) {}})
	w := newWorker(p)
	jobs := append(mints(0, 3), prove(t, 3, srp6.NewEphemeral(&[srp6.SecretSize]byte{1}), "secret"))
	n := copy(w.jobs, jobs)
	w.work(w.jobs[:n], w.results[:n])
	if w.jobs[3] != (Job{}) || w.results[0] != (Result{}) || !bytes.Equal(w.random, make([]byte, len(w.random))) {
		t.Error("a worker's buffers are not wiped")
	}
}

func TestNewPool_ReportsEveryFault(t *testing.T) {
	_, err := NewPool(Options{Workers: -1, Queue: -1})
	for _, part := range []string{"workers", "queue", "deliver"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
}

func TestOptions_EnsureDefaults(t *testing.T) {
	var o Options
	o.EnsureDefaults()
	if o.Workers != runtime.GOMAXPROCS(0) || o.Queue != 4096 || o.Heavy != 1024 || o.Random != rand.Reader || o.OnPanic == nil {
		t.Errorf("%+v", o)
	}
	o = Options{Workers: 1, Queue: 2, Heavy: 3}
	if o.EnsureDefaults(); o.Workers != 1 || o.Queue != 2 || o.Heavy != 3 {
		t.Errorf("%+v: what was set is changed", o)
	}
}

func TestJobKind_String(t *testing.T) {
	for kind, want := range map[JobKind]string{JobMint: "mint", JobProve: "prove", 9: "JobKind(9)"} {
		if got := kind.String(); got != want {
			t.Errorf("%d: %s", kind, got)
		}
	}
}

func TestPool_Allocations_None(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	done := make(chan int, 64)
	p := mustPool(t, Options{Workers: 2, Deliver: func(rs []Result) { done <- len(rs) }})
	jobs := append(mints(0, 6), prove(t, 6, srp6.NewEphemeral(&[srp6.SecretSize]byte{1}), "secret"))
	for len(jobs) < 20 {
		jobs = append(jobs, jobs[6])
	}
	if n := testing.AllocsPerRun(50, func() { runBatch(t, p, jobs, done) }); n != 0 {
		t.Errorf("%v allocations for %d jobs", n, len(jobs))
	}
}

// runBatch submits jobs and waits for as many results.
func runBatch(t testing.TB, p *Pool, jobs []Job, done <-chan int) {
	mustSubmit(t, p, jobs...)
	for left := len(jobs); left > 0; {
		left -= <-done
	}
}

// BenchmarkPool measures a whole login's work through the pool, a mint and a proof, by batch
// size; ns/op is for the batch.
func BenchmarkPool(b *testing.B) {
	for _, size := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("logins=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			done := make(chan int, 64)
			p := mustPool(b, Options{Workers: 1, Deliver: func(rs []Result) { done <- len(rs) }})
			jobs := mints(0, size)
			for i := range size {
				jobs = append(jobs, prove(b, uint64(i), srp6.NewEphemeral(&[srp6.SecretSize]byte{1}), "secret"))
			}
			for b.Loop() {
				runBatch(b, p, jobs, done)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/login")
		})
	}
}
