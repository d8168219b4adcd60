package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6"
	"gatepass/auth/srp6a"
)

// nativeParams are cheap on the client.
var nativeParams = srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()}

// nativeAccount is ALICE's verifier, for the password "secret".
var nativeAccount = sync.OnceValue(func() srp6a.Verifier {
	return srp6a.NewVerifier(nativeParams, &[32]byte{1}, "ALICE", "secret")
})

// nativeChallenge returns the first job of a sign-in.
func nativeChallenge(tag uint64) Job {
	x := &NativeExchange{Server: srp6a.Server{Name: "ALICE", Verifier: nativeAccount()}, ClientNonce: [32]byte{byte(tag), 5}}
	return Job{Kind: JobNativeChallenge, Tag: tag, Native: x}
}

// mustAnswer sets the answer of a client that enters the given password.
func mustAnswer(t testing.TB, x *NativeExchange, typed *srp6a.Identity) *srp6a.Client {
	t.Helper()
	c := srp6a.NewClient(typed, &[32]byte{7})
	v := &x.Server.Verifier
	A, m1, err := c.Respond(&srp6a.Challenge{Params: v.Params(), Salt: v.Salt, B: x.Server.B})
	if err != nil {
		t.Fatal(err)
	}
	x.A, x.M1, x.Transcript = A, m1, [32]byte{8}
	return c
}

// challenged runs a challenge through a new pool.
func challenged(t testing.TB, tags ...uint64) (xs []*NativeExchange) {
	t.Helper()
	var got collector
	p := mustPool(t, Options{Workers: 1, Deliver: got.deliver})
	for _, tag := range tags {
		mustSubmit(t, p, nativeChallenge(tag))
	}
	p.Close()
	for _, tag := range tags {
		if r := got.results[tag]; r.Err != nil || r.Kind != JobNativeChallenge {
			t.Fatalf("%v: %v", r.Kind, r.Err)
		}
		xs = append(xs, got.results[tag].Native)
	}
	return xs
}

func TestPool_Native_ChallengesThenProves(t *testing.T) {
	var proved collector
	xs := challenged(t, 0, 1, 2, 3)
	right, wrong := srp6a.NewIdentity("alice", "secret"), srp6a.NewIdentity("alice", "wrong")
	clients := []*srp6a.Client{
		mustAnswer(t, xs[0], right), mustAnswer(t, xs[1], wrong), mustAnswer(t, xs[2], right), mustAnswer(t, xs[3], right),
	}
	xs[2].A = make([]byte, srp6a.Group2048.Size())
	p := mustPool(t, Options{Workers: 2, Deliver: proved.deliver})
	for tag, x := range xs {
		x.M2, x.Keys.Session = [32]byte{1}, [32]byte{1} // old values must be overwritten
		mustSubmit(t, p, Job{Kind: JobNativeProve, Tag: uint64(tag), Native: x})
	}
	p.Close()
	for tag, want := range []error{nil, srp6a.ErrProof, srp6a.ErrPublicKey, nil} {
		r := proved.results[uint64(tag)]
		x := r.Native
		if !errors.Is(r.Err, want) || x != xs[tag] || r.Kind != JobNativeProve {
			t.Fatalf("proof %d: %v", tag, r.Err)
		}
		if want != nil {
			if x.M2 != [32]byte{} || x.Keys != (keyschedule.Keys{}) {
				t.Errorf("proof %d leaves something", tag)
			}
			continue
		}
		nonces := keyschedule.Nonces{Client: x.ClientNonce, Server: x.ServerNonce}
		if keys := keyschedule.Password(clients[tag].Secret(), &nonces, &x.Transcript); keys != x.Keys || clients[tag].CheckServer(&x.M2) != nil {
			t.Errorf("proof %d: the sides have different keys", tag)
		}
	}
	if xs[0].ServerNonce == xs[3].ServerNonce || xs[0].ServerNonce == [32]byte{} || bytes.Equal(xs[0].Server.B, xs[3].Server.B) {
		t.Error("two exchanges have one nonce or one secret")
	}
	if xs[0].Keys == xs[3].Keys {
		t.Error("two exchanges have the same keys")
	}
}

// TestPool_Native_ProveWipesTheSecret: a second proof of the same exchange always fails.
func TestPool_Native_ProveWipesTheSecret(t *testing.T) {
	var got collector
	x := challenged(t, 0)[0]
	mustAnswer(t, x, srp6a.NewIdentity("alice", "secret"))
	p := mustPool(t, Options{Workers: 1, Deliver: got.deliver})
	mustSubmit(t, p, Job{Kind: JobNativeProve, Tag: 1, Native: x})
	mustSubmit(t, p, Job{Kind: JobNativeProve, Tag: 2, Native: x})
	p.Close()
	if got.results[1].Err != nil || !errors.Is(got.results[2].Err, srp6a.ErrProof) {
		t.Errorf("%v, then %v", got.results[1].Err, got.results[2].Err)
	}
}

func TestPool_Native_RandomFails(t *testing.T) {
	var got collector
	p := mustPool(t, Options{Workers: 1, Deliver: got.deliver, Random: readerFunc(func([]byte) (int, error) { return 3, io.ErrUnexpectedEOF })})
	job := nativeChallenge(1)
	mustSubmit(t, p, job)
	p.Close()
	if r := got.results[1]; !errors.Is(r.Err, ErrRandom) || r.Native != job.Native || len(r.Native.Server.B) != 0 {
		t.Errorf("%v", r.Err)
	}
}

func TestPool_Native_PanicIsAnswered(t *testing.T) {
	var got collector
	p := mustPool(t, Options{Workers: 1, Deliver: got.deliver})
	bad := nativeChallenge(1)
	bad.Native.Server.Verifier.Group = 1024
	mustSubmit(t, p, bad, nativeChallenge(2), Job{Kind: JobNativeProve, Tag: 3}, nativeChallenge(4))
	p.Close()
	if r := got.results[1]; !errors.Is(r.Err, ErrPanic) || r.Native != bad.Native {
		t.Errorf("%v", r.Err)
	}
	if r := got.results[3]; !errors.Is(r.Err, ErrPanic) {
		t.Errorf("without an exchange: %v", r.Err)
	}
	if got.results[2].Err != nil || got.results[4].Err != nil || p.Stats().Panics != 2 {
		t.Errorf("neighbours: %v, %v, %+v", got.results[2].Err, got.results[4].Err, p.Stats())
	}
}

// TestPool_Native_OthersPassThem: a job that is submitted after many native jobs waits for one
// of them.
func TestPool_Native_OthersPassThem(t *testing.T) {
	var order []JobKind
	entered, leave := make(chan struct{}), make(chan struct{})
	first := true
	p := mustPool(t, Options{Workers: 1, Deliver: func(rs []Result) {
		if first {
			first = false
			entered <- struct{}{}
			<-leave
		}
		for i := range rs {
			order = append(order, rs[i].Kind)
		}
	}})
	mustSubmit(t, p, mints(100, 1)...)
	<-entered
	for tag := range uint64(4) {
		mustSubmit(t, p, nativeChallenge(tag))
	}
	mustSubmit(t, p, mints(200, batch+1)...)
	leave <- struct{}{}
	p.Close()
	for at, kind := range order {
		want := JobMint // a share of them, one native, the last of them, and the other native ones
		if at == 1+batch || at > 2+batch {
			want = JobNativeChallenge
		}
		if kind != want {
			t.Fatalf("%d is %v: %v", at, kind, order)
		}
	}
	if len(order) != 1+4+batch+1 {
		t.Errorf("%d results", len(order))
	}
}

// TestPool_Native_HasRoomOfItsOwn: neither kind uses the other's space, and refused jobs are
// at the end.
func TestPool_Native_HasRoomOfItsOwn(t *testing.T) {
	g := newGate()
	p := mustPool(t, Options{Workers: 1, Queue: 3, Heavy: 2, Deliver: g.deliver})
	mustSubmit(t, p, mints(0, 1)...)
	<-g.entered
	var jobs []Job
	for tag := range uint64(4) {
		jobs = append(jobs, nativeChallenge(10+tag), mints(20+tag, 1)[0])
	}
	n := p.Submit(jobs)
	var taken, refused []uint64
	for i, job := range jobs {
		if i < n {
			taken = append(taken, job.Tag)
		} else {
			refused = append(refused, job.Tag)
		}
	}
	if fmt.Sprint(taken) != "[10 20 11 21 22]" || n != 5 || len(refused) != 3 {
		t.Errorf("taken %v, refused %v", taken, refused)
	}
	for _, tag := range refused {
		if tag != 12 && tag != 13 && tag != 23 {
			t.Errorf("%d is refused", tag)
		}
	}
	if s := p.Stats(); s.Queued != 6 || s.Refused != 3 {
		t.Errorf("%+v", s)
	}
	go func() {
		for range g.entered {
			g.leave <- struct{}{}
		}
	}()
	g.leave <- struct{}{}
	p.Close()
	close(g.entered)
}

// TestPool_Native_KeepsRoomForProofs: any number of challenges must not block the proofs of
// clients that were challenged before.
func TestPool_Native_KeepsRoomForProofs(t *testing.T) {
	g := newGate()
	p := mustPool(t, Options{Workers: 1, Heavy: 8, Deliver: g.deliver})
	mustSubmit(t, p, mints(0, 1)...)
	<-g.entered
	challenges, proofs := make([]Job, 9), make([]Job, 9)
	for i := range challenges {
		challenges[i] = nativeChallenge(uint64(i))
		proofs[i] = Job{Kind: JobNativeProve, Native: new(NativeExchange)}
	}
	for _, step := range []struct {
		jobs []Job
		want int
	}{{challenges, 6}, {proofs[:1], 1}, {challenges, 0}, {proofs[1:], 1}, {proofs[2:], 0}} {
		if n := p.Submit(step.jobs); n != step.want {
			t.Errorf("%d of %d of kind %v are taken, not %d", n, len(step.jobs), step.jobs[0].Kind, step.want)
		}
	}
	go func() {
		for range g.entered {
			g.leave <- struct{}{}
		}
	}()
	g.leave <- struct{}{}
	p.Close()
	close(g.entered)
}

func TestNativeExchange_ShowsNothing(t *testing.T) {
	x := challenged(t, 0)[0]
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if s := fmt.Sprintf(verb, x) + fmt.Sprintf(verb, *x); s != "native-exchangenative-exchange" {
			t.Errorf("%s shows %s", verb, s)
		}
	}
	if b, err := json.Marshal(Job{Native: x}); err != nil || bytes.Contains(b, []byte("ALICE")) {
		t.Errorf("%s, %v", b, err)
	}
}

// BenchmarkPool_Native measures the server's side of a native login through the pool.
func BenchmarkPool_Native(b *testing.B) {
	results := make(chan Result, 1)
	p := mustPool(b, Options{Workers: 1, Deliver: func(rs []Result) { results <- rs[0] }})
	run := func(job Job) Result {
		mustSubmit(b, p, job)
		return <-results
	}
	answered := run(nativeChallenge(1)).Native
	mustAnswer(b, answered, srp6a.NewIdentity("alice", "secret"))
	b.ReportAllocs()
	for b.Loop() {
		again := *answered // the pool wipes its secret
		if run(nativeChallenge(1)).Err != nil || run(Job{Kind: JobNativeProve, Native: &again}).Err != nil {
			b.Fatal("refused")
		}
	}
}

// BenchmarkPool_GruntBehindNative measures a mint that is submitted after many native
// challenges. It should take the time of one of them, not of all.
func BenchmarkPool_GruntBehindNative(b *testing.B) {
	for _, waiting := range []int{0, 1, 32} {
		b.Run(fmt.Sprintf("native=%d", waiting), func(b *testing.B) {
			minted, done := make(chan srp6.Ephemeral, 1), make(chan struct{}, 64)
			p := mustPool(b, Options{Workers: 1, Deliver: func(rs []Result) {
				if rs[0].Kind == JobMint {
					minted <- rs[0].Ephemeral
					return
				}
				done <- struct{}{}
			}})
			for b.Loop() {
				b.StopTimer()
				for range waiting {
					mustSubmit(b, p, nativeChallenge(1))
				}
				b.StartTimer()
				mustSubmit(b, p, mints(1, 1)...)
				<-minted
				b.StopTimer()
				for range waiting {
					<-done
				}
				b.StartTimer()
			}
		})
	}
}
