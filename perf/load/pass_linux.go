package load

import (
	"context"
	"time"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/internal/usage"
	"gatepass/perf/load/progress"
)

// RunPass logs clients in and then lets them move. When ctx ends it returns the
// measurements so far, with Interrupted set.
func RunPass(ctx context.Context, t Target, o PassOptions, p *progress.Display) (*PassRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := roomFor(o.Hold.Connections + min(o.Hold.Connections, engine.MaxMoving)); err != nil {
		return nil, err
	}
	for _, target := range []*Target{&t, &o.Gate} {
		if err := target.reach(ctx); err != nil {
			return nil, err
		}
	}
	m := engine.NewMoves(engine.MovesOptions{
		Gate: o.Gate.Addr, Rate: o.Rate / float64(o.Hold.Threads), Poisson: o.Arrivals == ArrivalsPoisson, Seed: o.Seed,
	})
	shared := o.Hold.workers(t)
	shared.Engine.Moves = m
	c, err := engine.NewWorkers(shared)
	if err != nil {
		return nil, err
	}
	c.Measuring.Store(true)
	c.Start()
	defer c.Stop(engine.StopNow)
	run := passRun{target: t, options: o, progress: p, proc: usage.NewReader(), workers: c, moves: m}
	return run.run(ctx)
}

// passRun is one run of RunPass.
type passRun struct {
	target   Target
	options  PassOptions
	progress *progress.Display
	proc     usage.Reader
	workers  *engine.Workers
	moves    *engine.Moves
}

func (r *passRun) run(ctx context.Context) (*PassRun, error) {
	run := &PassRun{Wanted: r.options.Hold.Connections}
	rampUp(ctx, r.workers, run.Wanted, r.progress)
	run.Held = int(r.workers.Held())
	for leg := range counts.LegCount {
		if leg == counts.LegBack && !r.options.Back || !pause(ctx, r.options.Settle) {
			break
		}
		l, err := r.leg(ctx, leg)
		if err != nil {
			return nil, err
		}
		run.Legs = append(run.Legs, l)
	}
	r.workers.Stop(engine.StopNow)
	run.counts, run.Interrupted = r.workers.Logins(), ctx.Err() != nil
	for i := range run.Legs {
		run.Legs[i].counts = r.workers.MoveCounts(run.Legs[i].Leg)
	}
	return run, nil
}

// leg lets all clients move in one direction and waits until each has arrived or failed.
func (r *passRun) leg(ctx context.Context, leg counts.Leg) (LegRun, error) {
	first, err := r.read()
	if err != nil {
		return LegRun{}, err
	}
	want, before := r.workers.Held(), r.workers.Moved()
	r.progress.Begin(leg.String(), int64(want))
	defer r.progress.End()
	r.moves.Begin(leg)
	for r.workers.Moved()-before < want && pause(ctx, progress.Interval/10) {
		done := r.workers.Moved() - before
		r.progress.Set(int64(done), done)
	}
	last, err := r.read()
	return LegRun{
		Leg: leg, Elapsed: last.at.Sub(first.at), ServerCPU: last.server.Since(first.server),
		GateCPU: last.gate.Since(first.gate), ClientCPU: last.client.Since(first.client),
	}, err
}

// passReading is the clocks at one moment.
type passReading struct {
	at                   time.Time
	server, gate, client usage.CPU
}

func (r *passRun) read() (now passReading, err error) {
	if now.server, err = r.proc.CPU(r.target.PIDs); err != nil {
		return now, err
	}
	if now.gate, err = r.proc.CPU(r.options.Gate.PIDs); err != nil {
		return now, err
	}
	now.at = time.Now()
	now.client, err = r.proc.CPU(self())
	return now, err
}
