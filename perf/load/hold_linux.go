package load

import (
	"context"
	"errors"
	"time"

	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/internal/usage"
	"gatepass/perf/load/progress"
)

// ErrNoProcess says that a run which measures memory has a target without PIDs.
var ErrNoProcess = errors.New("load: no server process named to read the memory of")

// RunHold logs connections in, holds them open, and reads the server's memory before and
// after. When ctx ends it returns the measurements so far, with Interrupted set.
func RunHold(ctx context.Context, t Target, o HoldOptions, p *progress.Display) (*HoldRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(t.PIDs) == 0 {
		return nil, ErrNoProcess
	}
	if err := roomFor(o.Connections); err != nil {
		return nil, err
	}
	h := holdRun{target: t, options: o, progress: p, proc: usage.NewReader()}
	if err := h.warm(ctx); err != nil {
		return nil, err
	}
	return h.run(ctx)
}

// holdRun is one run of RunHold.
type holdRun struct {
	target   Target
	options  HoldOptions
	progress *progress.Display
	proc     usage.Reader
}

// warm runs some logins first.
func (h *holdRun) warm(ctx context.Context) error {
	h.progress.Name("warm-up")
	defer h.progress.Name("hold")
	_, err := RunLogin(ctx, h.target, LoginOptions{
		Clients: h.options.Clients, Count: h.options.Warmup, Concurrency: max(32, h.options.Threads),
	}, h.progress)
	return err
}

func (h *holdRun) run(ctx context.Context) (*HoldRun, error) {
	run := &HoldRun{Wanted: h.options.Connections}
	var err error
	if run.Before, err = h.memory(ctx); err != nil {
		return nil, err
	}
	c, err := engine.NewWorkers(h.options.workers(h.target))
	if err != nil {
		return nil, err
	}
	c.Measuring.Store(true)
	c.Start()
	defer c.Stop(engine.StopNow)
	run.Ramp = rampUp(ctx, c, run.Wanted, h.progress)
	if run.After, err = h.memory(ctx); err != nil {
		return nil, err
	}
	run.Held = int(c.Held())
	if err := h.stay(ctx, c, run); err != nil {
		return nil, err
	}
	c.Stop(engine.StopNow)
	run.counts, run.Dropped, run.Lists, run.Interrupted = c.Logins(), c.Dropped(), c.Lists(), ctx.Err() != nil
	return run, nil
}

// rampBusy is how many connections log in at once while the number grows.
const rampBusy = 64

// workers returns the options of the run's engines.
func (o *HoldOptions) workers(t Target) engine.WorkersOptions {
	c := o.engines(&t)
	c.Rate = o.Rate
	c.Engine.Slots, c.Engine.Busy, c.Engine.Limit = o.Connections, max(rampBusy, o.Threads), o.Connections
	c.Engine.Hold, c.Engine.ListEvery = true, o.ListEvery
	return c
}

// rampUp waits until the wanted number of connections have logged in or failed, and
// returns how long that took.
func rampUp(ctx context.Context, c *engine.Workers, wanted int, p *progress.Display) time.Duration {
	began := time.Now()
	p.Begin("connections", int64(wanted))
	defer p.End()
	for c.Finished() < uint64(wanted) && pause(ctx, progress.Interval/10) {
		p.Set(int64(c.Finished()), c.Counted())
	}
	return time.Since(began)
}

// stay holds the connections and measures the cost.
func (h *holdRun) stay(ctx context.Context, c *engine.Workers, run *HoldRun) error {
	first, err := h.proc.CPU(h.target.PIDs)
	if err != nil {
		return err
	}
	began := time.Now()
	h.progress.Begin("holding", int64(h.options.Hold/time.Millisecond))
	for since := time.Duration(0); since < h.options.Hold && pause(ctx, progress.Interval); since = time.Since(began) {
		h.progress.Set(int64(since/time.Millisecond), c.Counted())
	}
	h.progress.End()
	run.Stayed = time.Since(began)
	last, err := h.proc.CPU(h.target.PIDs)
	if err != nil {
		return err
	}
	run.Idle = last.Since(first)
	run.End, err = h.memory(ctx)
	return err
}

// memory returns the server's memory once it has settled.
func (h *holdRun) memory(ctx context.Context) (int64, error) {
	settled := settling{proc: h.proc, pids: h.target.PIDs, pause: h.options.Settle, collect: h.options.Collect}
	return settled.rss(ctx)
}

// pause waits for d. It returns false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
