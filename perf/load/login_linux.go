package load

import (
	"context"
	"time"

	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/internal/protocol"
	"gatepass/perf/load/internal/usage"
	"gatepass/perf/load/progress"
)

// RunLogin runs full logins against a server and measures them. When ctx ends, the run
// ends early and returns the measurements so far, with Interrupted set. It returns an
// error if there is nothing to report.
func RunLogin(ctx context.Context, t Target, o LoginOptions, p *progress.Display) (*LoginRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := roomFor(o.Concurrency); err != nil {
		return nil, err
	}
	if err := t.reach(ctx); err != nil {
		return nil, err
	}
	if !o.Native.HaveTokens() {
		if err := enrol(ctx, t, o.Clients, p); err != nil {
			return nil, err
		}
	}
	c, err := engine.NewWorkers(o.workers(t))
	if err != nil {
		return nil, err
	}
	c.Start()
	defer c.Stop(engine.StopNow)
	return measureLogins(ctx, c, loginRun{target: t, options: o, progress: p, proc: usage.NewReader()})
}

// lateAfter is how far a login must be behind schedule at the end to be reported as late.
// A short delay of the client's thread does not mean that the rate is too high.
const lateAfter = 100 * time.Millisecond

// workers returns the options of the run's engines.
func (o *LoginOptions) workers(t Target) engine.WorkersOptions {
	c := o.engines(&t)
	c.Rate, c.Poisson = o.Rate, o.Arrivals == ArrivalsPoisson
	c.Engine.Slots, c.Engine.Busy, c.Engine.Limit = o.Concurrency, o.Concurrency, o.Count
	c.Engine.Attempts = protocol.AccountsOptions{WrongPercent: o.WrongPercent, UnknownPercent: o.UnknownPercent, Seed: o.Seed}
	return c
}

// loginRun is the arguments of measureLogins.
type loginRun struct {
	target   Target
	options  LoginOptions
	progress *progress.Display
	proc     usage.Reader
}

// measureLogins warms up, then measures between two readings of the clocks.
func measureLogins(ctx context.Context, c *engine.Workers, r loginRun) (*LoginRun, error) {
	r.wait(ctx, c, "warm-up", r.options.Warmup)
	first, err := r.read(c)
	if err != nil {
		return nil, err
	}
	c.Measuring.Store(true)
	r.wait(ctx, c, "logins", r.options.Duration)
	last, err := r.read(c)
	c.Measuring.Store(false)
	if err != nil {
		return nil, err
	}
	if ctx.Err() == nil {
		c.Stop(engine.StopDrain)
	} else {
		c.Stop(engine.StopNow) // interrupted: report at once
	}
	run := &LoginRun{
		Elapsed: last.at.Sub(first.at), ServerCPU: last.server.Since(first.server), ClientCPU: last.client.Since(first.client),
		RSS: last.rss, Logins: last.logins - first.logins, Interrupted: ctx.Err() != nil, counts: c.Logins(),
	}
	run.Late = c.Late(last.at.Add(-lateAfter))
	return run, nil
}

// wait waits for d (0: until the engines end by themselves) or until ctx ends, and shows
// the progress.
func (r *loginRun) wait(ctx context.Context, c *engine.Workers, what string, d time.Duration) {
	if what == "warm-up" && d == 0 {
		return
	}
	r.progress.Begin(what, int64(d/time.Millisecond))
	defer r.progress.End()
	tick := time.NewTicker(progress.Interval)
	defer tick.Stop()
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.Ended:
			return
		case <-over:
			return
		case <-tick.C:
			r.progress.Set(int64(time.Since(began)/time.Millisecond), c.Counted())
		}
	}
}

// reading is the clocks and counters at one moment.
type reading struct {
	at             time.Time
	server, client usage.CPU
	logins         uint64
	rss            int64
}

func (r *loginRun) read(c *engine.Workers) (reading, error) {
	var now reading
	var err error
	if now.server, err = r.proc.CPU(r.target.PIDs); err != nil {
		return now, err
	}
	now.logins, now.at = c.Counted(), time.Now()
	if now.client, err = r.proc.CPU(self()); err != nil {
		return now, err
	}
	now.rss, err = r.proc.RSS(r.target.PIDs)
	return now, err
}

// engines returns the options of the engines that every scenario has in common.
func (c *Clients) engines(t *Target) engine.WorkersOptions {
	return engine.WorkersOptions{
		Threads: c.Threads, Accounts: c.Accounts,
		Engine: engine.Options{
			Target: t.Addr, Sources: c.sources(t.Addr), Canned: t.Canned,
			Build: c.Build, Timeout: c.Timeout, Native: c.Native,
		},
	}
}
