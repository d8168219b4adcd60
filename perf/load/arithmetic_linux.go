package load

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth/srp6a"
	"gatepass/perf/load/players"
)

// measureArithmetic computes the server's half of key exchanges for d and returns the CPU
// time of its thread. If there is a second processor, the client's half runs at the same
// time, as it does in the run with which the result is compared: two threads on one core
// slow each other down.
func measureArithmetic(p *players.Native, d time.Duration) (arithmetic, error) {
	exchange, err := newExchange(p)
	if err != nil {
		return arithmetic{}, err
	}
	var over, beside sync.WaitGroup
	stop := make(chan struct{})
	if runtime.NumCPU() > 1 {
		beside.Go(func() { exchange.respond(stop) })
	}
	var done arithmetic
	over.Go(func() { done, err = exchange.serve(d) })
	over.Wait()
	close(stop)
	beside.Wait()
	return done, err
}

// exchange is one login, which is computed again and again.
type exchange struct {
	name      string
	known     srp6a.Known
	verifier  srp6a.Verifier
	challenge srp6a.Challenge
	a         []byte
	m1        [32]byte
}

func newExchange(p *players.Native) (*exchange, error) {
	x := &exchange{name: "BARE", known: p.Known, verifier: p.Known.Verifier()}
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

// serve computes the server's half for d. The proof fits only the first exchange's key,
// which does not change the amount of work.
func (x *exchange) serve(d time.Duration) (done arithmetic, err error) {
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

// respond computes the client's half until stop is closed.
func (x *exchange) respond(stop <-chan struct{}) {
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

// threadTime returns the CPU time of the calling thread.
func threadTime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0, fmt.Errorf("load: clock of a thread: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
