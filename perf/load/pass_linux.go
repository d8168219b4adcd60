package load

import (
	"context"
	"time"
)

// RunPass logs clients in and then lets them move. When ctx ends it reports what
// was measured until then, with Interrupted set.
func RunPass(ctx context.Context, t Target, o PassOptions, p *Progress) (*PassRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := roomFor(o.Hold.Connections + min(o.Hold.Connections, mostMoving)); err != nil {
		return nil, err
	}
	for _, target := range []*Target{&t, &o.Gate} {
		if err := target.reach(ctx); err != nil {
			return nil, err
		}
	}
	m := &moves{gate: newSockaddr(o.Gate.Addr), rate: o.Rate / float64(o.Hold.Threads), law: o.Arrivals, seed: o.Seed}
	m.leg.Store(-1)
	shared := o.Hold.crew(t)
	shared.engine.Moves = m
	c, err := newCrew(shared)
	if err != nil {
		return nil, err
	}
	c.measuring.Store(true)
	c.start()
	defer c.stop(stopNow)
	run := passRun{target: t, options: o, progress: p, proc: hostProc(), crew: c, moves: m}
	return run.run(ctx)
}

// passRun is one run of RunPass.
type passRun struct {
	target   Target
	options  PassOptions
	progress *Progress
	proc     procfs
	crew     *crew
	moves    *moves
}

func (r *passRun) run(ctx context.Context) (*PassRun, error) {
	run := &PassRun{Wanted: r.options.Hold.Connections}
	rampUp(ctx, r.crew, run.Wanted, r.progress)
	run.Held = int(r.crew.held())
	for leg := range LegCount {
		if leg == LegBack && !r.options.Back || !pause(ctx, r.options.Settle) {
			break
		}
		l, err := r.leg(ctx, leg)
		if err != nil {
			return nil, err
		}
		run.Legs = append(run.Legs, l)
	}
	r.crew.stop(stopNow)
	run.tally, run.Interrupted = r.crew.tally(), ctx.Err() != nil
	for i := range run.Legs {
		run.Legs[i].tally = r.crew.moveTally(run.Legs[i].Leg)
	}
	return run, nil
}

// leg lets everybody move one way and waits until all have arrived or failed.
func (r *passRun) leg(ctx context.Context, leg Leg) (LegRun, error) {
	first, err := r.read()
	if err != nil {
		return LegRun{}, err
	}
	want, before := r.crew.held(), r.crew.moved()
	r.progress.Begin(leg.String(), int64(want))
	defer r.progress.End()
	r.moves.leg.Store(int32(leg))
	for r.crew.moved()-before < want && pause(ctx, progressEvery/10) {
		done := r.crew.moved() - before
		r.progress.Set(int64(done), done)
	}
	last, err := r.read()
	return LegRun{
		Leg: leg, Elapsed: last.at.Sub(first.at), ServerCPU: last.server.since(first.server),
		GateCPU: last.gate.since(first.gate), ClientCPU: last.client.since(first.client),
	}, err
}

// passReading is the clocks at one moment.
type passReading struct {
	at                   time.Time
	server, gate, client usage
}

func (r *passRun) read() (now passReading, err error) {
	if now.server, err = r.proc.usageOf(r.target.PIDs); err != nil {
		return now, err
	}
	if now.gate, err = r.proc.usageOf(r.options.Gate.PIDs); err != nil {
		return now, err
	}
	now.at = time.Now()
	now.client, err = r.proc.usageOf(self())
	return now, err
}
