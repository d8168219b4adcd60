package load

import (
	"context"
	"fmt"
	"time"

	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/internal/usage"
	"gatepass/perf/load/progress"
)

// RunWorlds logs connections in and measures how long it takes until all of them have
// received a change of a world. The server must push its list. When ctx ends it returns
// the changes so far, with Interrupted set.
func RunWorlds(ctx context.Context, t Target, o WorldsOptions, p *progress.Display) (*WorldsRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := roomFor(o.Hold.Connections); err != nil {
		return nil, err
	}
	if err := t.reach(ctx); err != nil {
		return nil, err
	}
	w := engine.NewWatch(o.World, o.Changes)
	shared := o.Hold.workers(t)
	shared.Engine.Watch = w
	c, err := engine.NewWorkers(shared)
	if err != nil {
		return nil, err
	}
	c.Measuring.Store(true)
	c.Start()
	defer c.Stop(engine.StopNow)
	run := worldsRun{target: t, options: o, progress: p, proc: usage.NewReader(), workers: c, watch: w}
	return run.run(ctx)
}

// worldsRun is one run of RunWorlds.
type worldsRun struct {
	target   Target
	options  WorldsOptions
	progress *progress.Display
	proc     usage.Reader
	workers  *engine.Workers
	watch    *engine.Watch
}

func (w *worldsRun) run(ctx context.Context) (*WorldsRun, error) {
	o := &w.options
	run := &WorldsRun{Wanted: o.Hold.Connections}
	rampUp(ctx, w.workers, run.Wanted, w.progress)
	run.Held = int(w.workers.Held())
	w.progress.Begin("changes", int64(o.Changes))
	for i := range o.Changes {
		if !pause(ctx, o.Pause) {
			break
		}
		change, err := w.change(ctx, i%2 == 0)
		if err != nil {
			w.progress.End()
			return nil, err
		}
		run.Changes = append(run.Changes, change)
		w.progress.Set(int64(i+1), w.workers.Counted())
	}
	w.progress.End()
	w.workers.Stop(engine.StopNow)
	run.counts, run.Interrupted = w.workers.Logins(), ctx.Err() != nil
	run.settle(w.workers.Sightings())
	return run, nil
}

// change makes one change and waits until all held connections have received it.
func (w *worldsRun) change(ctx context.Context, online bool) (WorldChange, error) {
	before := w.workers.Shown()
	first, err := w.proc.CPU(w.target.PIDs)
	if err != nil {
		return WorldChange{}, err
	}
	change := WorldChange{Online: online, number: w.watch.Begin()}
	if err := w.options.Set(ctx, online); err != nil {
		return change, fmt.Errorf("load: change %d: %w", change.number, err)
	}
	limit := time.Now().Add(w.options.Limit)
	for w.workers.Shown()-before < w.workers.Held() && time.Now().Before(limit) && pause(ctx, time.Millisecond) {
	}
	w.watch.Stop()
	last, err := w.proc.CPU(w.target.PIDs)
	change.ServerCPU = last.Since(first)
	return change, err
}

// settle computes the times of the changes from the sightings.
func (r *WorldsRun) settle(seen []engine.Sighting) {
	for i := range r.Changes {
		c := &r.Changes[i]
		times := engine.Spread(seen, c.number)
		c.Shown = len(times)
		c.First, c.P50, c.P99, c.Last = engine.Quantile(times, 0), engine.Quantile(times, 0.5), engine.Quantile(times, 0.99), engine.Quantile(times, 1)
	}
}
