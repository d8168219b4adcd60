package load

import (
	"context"
	"fmt"
	"time"
)

// Rounds measures a server and its floor by turns, so that what the machine
// does beside (its clock, its neighbours) falls on both. Native logins by password have
// another measure beside it: their big numbers alone.
type Rounds struct {
	// Floor is nil to measure the server alone.
	Floor  *Target
	Server Target
	Login  LoginOptions
	// Times is how many turns each gets, at least 1.
	Times    int
	Progress *Progress

	bare bare
}

// Run measures and reports. When ctx ends it reports what was measured until
// then.
func (r *Rounds) Run(ctx context.Context) (*Report, error) {
	r.Login.EnsureDefaults()
	if ctx.Err() == nil {
		// Before the floor has its turn, which would be for nothing.
		if err := r.Server.reach(ctx); err != nil {
			return nil, err
		}
	}
	report := &Report{
		Scenario: "login", Protocol: r.Login.Native.protocol(), Build: uint16(r.Login.Build), Load: r.Login.load(),
	}
	var floor, server *LoginRun
	for i := range r.Times {
		if err := r.bareTurn(ctx, i); err != nil {
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
	if server != nil && r.bare.logins > 0 {
		report.Bare = r.bare.perLogin()
		report.TimesBare = ratio(server.perLogin(), report.Bare)
	}
	report.Interrupted = ctx.Err() != nil
	return report, nil
}

// bareTime is how long a turn of the bare work takes.
const bareTime = time.Second

// bareTurn measures the big numbers alone, where logins have any that are not the
// floor's.
func (r *Rounds) bareTurn(ctx context.Context, i int) error {
	p := r.Login.Native
	if p == nil || p.byToken || ctx.Err() != nil {
		return nil
	}
	r.Progress.Name(fmt.Sprintf("round %d of %d, big numbers alone", i+1, r.Times))
	r.Progress.Begin("bare", int64(bareTime/time.Millisecond))
	defer r.Progress.End()
	done, err := p.bareWork(bareTime)
	r.bare.add(done)
	return err
}

// turn is one run, joined to those before. Once ctx has ended it does nothing.
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

func (r *Report) include(run *LoginRun, name string) {
	if run != nil {
		r.Servers = append(r.Servers, run.Report(name))
	}
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// load says in words what the options ask for.
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
