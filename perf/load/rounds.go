package load

import (
	"context"
	"fmt"
	"time"

	"gatepass/perf/load/progress"
)

// Rounds measures a server and its floor in turns, so that other influences (the clock
// frequency, other processes on the machine) affect both. For native logins by password
// it also measures their arithmetic alone.
type Rounds struct {
	// Floor is nil to measure the server alone.
	Floor  *Target
	Server Target
	Login  LoginOptions
	// Times is how many turns each has, at least 1.
	Times    int
	Progress *progress.Display

	arithmetic arithmetic
}

// Run measures and returns the report. When ctx ends it reports the measurements so far.
func (r *Rounds) Run(ctx context.Context) (*Report, error) {
	r.Login.EnsureDefaults()
	if ctx.Err() == nil {
		// Fail before the floor's turn, which takes time.
		if err := r.Server.reach(ctx); err != nil {
			return nil, err
		}
	}
	report := &Report{
		Scenario: "login", Protocol: r.Login.Native.Protocol(), Build: uint16(r.Login.Build), Load: r.Login.load(),
	}
	var floor, server *LoginRun
	for i := range r.Times {
		if err := r.arithmeticTurn(ctx, i); err != nil {
			return nil, err
		}
		var err error
		if r.Floor != nil {
			if floor, err = r.turn(ctx, i, *r.Floor, floor); err != nil {
				return nil, fmt.Errorf("floor: %w", err)
			}
		}
		if server, err = r.turn(ctx, i, r.Server, server); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	report.include(floor, "floor")
	report.include(server, "server")
	if floor != nil && server != nil {
		report.TimesFloor = ratio(server.perLogin(), floor.perLogin())
	}
	if server != nil && r.arithmetic.logins > 0 {
		report.Arithmetic = r.arithmetic.perLogin()
		report.TimesArithmetic = ratio(server.perLogin(), report.Arithmetic)
	}
	report.Interrupted = ctx.Err() != nil
	return report, nil
}

// arithmeticTime is the length of a turn of the arithmetic alone.
const arithmeticTime = time.Second

// arithmeticTurn measures the arithmetic alone, if the logins are native and by password.
func (r *Rounds) arithmeticTurn(ctx context.Context, i int) error {
	p := r.Login.Native
	if p == nil || p.ByToken || ctx.Err() != nil {
		return nil
	}
	r.Progress.Name(fmt.Sprintf("round %d of %d, big numbers alone", i+1, r.Times))
	r.Progress.Begin("bare", int64(arithmeticTime/time.Millisecond))
	defer r.Progress.End()
	done, err := measureArithmetic(p, arithmeticTime)
	r.arithmetic.add(done)
	return err
}

// turn runs logins once and adds them to those before. Once ctx has ended it does nothing.
func (r *Rounds) turn(ctx context.Context, i int, t Target, before *LoginRun) (*LoginRun, error) {
	if ctx.Err() != nil {
		return before, nil
	}
	name := "server"
	if t.Canned {
		name = "floor"
	}
	r.Progress.Name(fmt.Sprintf("round %d of %d, %s", i+1, r.Times, name))
	run, err := RunLogin(ctx, t, r.Login, r.Progress)
	if err != nil {
		return nil, err
	}
	if before != nil {
		before.add(run)
		return before, nil
	}
	return run, nil
}

// include adds a run to the report, unless it is nil.
func (r *Report) include(run *LoginRun, name string) {
	if run != nil {
		r.Servers = append(r.Servers, run.Report(name))
	}
}

// ratio returns a / b; 0 if b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// load describes the load in words.
func (o *LoginOptions) load() string {
	words := fmt.Sprintf("%d at once", o.Concurrency)
	if o.Rate > 0 {
		words = fmt.Sprintf("%g logins a second (%s)", o.Rate, o.Arrivals)
	}
	if o.WrongPercent > 0 {
		words += fmt.Sprintf(", %d %% with a wrong password", o.WrongPercent)
	}
	if o.UnknownPercent > 0 {
		words += fmt.Sprintf(", %d %% to unknown accounts", o.UnknownPercent)
	}
	return words
}
