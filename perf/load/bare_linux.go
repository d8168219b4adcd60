package load

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth/srp6a"
)

// bareWork does the server's half of as many exchanges as fit into d, and takes the CPU
// time of its own thread. Where there is a processor for it, the client's half runs
// beside it: in the run that this is compared with it does too, and two threads of one
// core slow each other down.
func (p *Players) bareWork(d time.Duration) (bare, error) {
	exchange, err := p.newExchange()
	if err != nil {
		return bare{}, err
	}
	var over, beside sync.WaitGroup
	stop := make(chan struct{})
	if runtime.NumCPU() > 1 {
		beside.Go(func() { exchange.respond(stop) })
	}
	var done bare
	over.Go(func() { done, err = exchange.serve(d) })
	over.Wait()
	close(stop)
	beside.Wait()
	return done, err
}

// bareExchange is one login, again and again.
type bareExchange struct {
	name      string
	known     srp6a.Known
	verifier  srp6a.Verifier
	challenge srp6a.Challenge
	a         []byte
	m1        [32]byte
}

func (p *Players) newExchange() (*bareExchange, error) {
	x := &bareExchange{name: "BARE", known: p.known, verifier: p.known.Verifier()}
	server := srp6a.Server{Name: x.name, Verifier: x.verifier}
	server.Challenge(&[32]byte{1})
	x.challenge = srp6a.Challenge{Params: x.known.Params, Salt: x.known.Salt, B: server.B}
	var err error
	x.a, x.m1, err = srp6a.NewClient(x.known.Identity(x.name), &[32]byte{2}).Respond(&x.challenge)
	if err != nil {
		return nil, fmt.Errorf("load: bare work: %w", err)
	}
	_, _, err = server.Verify(x.a, &x.m1)
	return x, err
}

// serve is the server's half; only the first exchange has the key that the proof is for,
// which changes nothing about the work.
func (x *bareExchange) serve(d time.Duration) (done bare, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	first, err := threadTime()
	if err != nil {
		return done, err
	}
	secret := [32]byte{0xFF}
	for began := time.Now(); time.Since(began) < d; done.logins++ {
		secret[31]++
		server := srp6a.Server{Name: x.name, Verifier: x.verifier}
		server.Challenge(&secret)
		_, _, _ = server.Verify(x.a, &x.m1)
	}
	last, err := threadTime()
	done.cpu = last - first
	return done, err
}

// respond is the client's half, until it is told to stop.
func (x *bareExchange) respond(stop <-chan struct{}) {
	id := x.known.Identity(x.name)
	for {
		select {
		case <-stop:
			return
		default:
			_, _, _ = srp6a.NewClient(id, &[32]byte{0xFE}).Respond(&x.challenge)
		}
	}
}

// threadTime is the CPU time of the calling thread.
func threadTime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0, fmt.Errorf("load: clock of a thread: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
