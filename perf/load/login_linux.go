package load

import (
	"context"
	"time"
)

// RunLogin sends full logins at a server and measures. When ctx ends, the run
// ends early and returns what was measured until then, with Interrupted set.
// An error means that there is nothing to report.
func RunLogin(ctx context.Context, t Target, o LoginOptions, p *Progress) (*LoginRun, error) {
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
	if !o.Native.enrolled() {
		if err := enrol(ctx, t, o.Clients, p); err != nil {
			return nil, err
		}
	}
	c, err := newCrew(o.crew(t))
	if err != nil {
		return nil, err
	}
	c.start()
	defer c.stop(stopNow)
	return measureLogins(ctx, c, loginRun{target: t, options: o, progress: p, proc: hostProc()})
}

// lateAfter is how far behind a login must be at the end to be told of: a slip of
// the client's thread is no sign of too high a rate.
const lateAfter = 100 * time.Millisecond

func (o *LoginOptions) crew(t Target) crewOptions {
	return crewOptions{
		Target: t, Clients: o.Clients, Rate: o.Rate, Law: o.Arrivals,
		engine: engineOptions{Slots: o.Concurrency, Busy: o.Concurrency, Limit: o.Count},
		cast:   castOptions{WrongPercent: o.WrongPercent, UnknownPercent: o.UnknownPercent, Seed: o.Seed},
	}
}

// loginRun is what measureLogins works with.
type loginRun struct {
	target   Target
	options  LoginOptions
	progress *Progress
	proc     procfs
}

// measureLogins warms up, then measures between two readings of the clocks.
func measureLogins(ctx context.Context, c *crew, r loginRun) (*LoginRun, error) {
	r.wait(ctx, c, "warm-up", r.options.Warmup)
	first, err := r.read(c)
	if err != nil {
		return nil, err
	}
	c.measuring.Store(true)
	r.wait(ctx, c, "logins", r.options.Duration)
	last, err := r.read(c)
	c.measuring.Store(false)
	if err != nil {
		return nil, err
	}
	if ctx.Err() == nil {
		c.stop(stopDrain)
	} else {
		c.stop(stopNow) // somebody waits for the report
	}
	run := &LoginRun{
		Elapsed: last.at.Sub(first.at), ServerCPU: last.server.since(first.server), ClientCPU: last.client.since(first.client),
		RSS: last.rss, Logins: last.logins - first.logins, Interrupted: ctx.Err() != nil, tally: c.tally(),
	}
	run.Late = c.late(last.at.Add(-lateAfter))
	return run, nil
}

// wait lets the run go on for d (0: until it ends of itself), or until ctx
// ends, and shows how far it is.
func (r *loginRun) wait(ctx context.Context, c *crew, what string, d time.Duration) {
	if what == "warm-up" && d == 0 {
		return
	}
	r.progress.Begin(what, int64(d/time.Millisecond))
	defer r.progress.End()
	tick := time.NewTicker(progressEvery)
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
		case <-c.ended:
			return
		case <-over:
			return
		case <-tick.C:
			r.progress.Set(int64(time.Since(began)/time.Millisecond), c.counted())
		}
	}
}

// reading is the clocks and counters at one moment.
type reading struct {
	at             time.Time
	server, client usage
	logins         uint64
	rss            int64
}

func (r *loginRun) read(c *crew) (reading, error) {
	var now reading
	var err error
	if now.server, err = r.proc.usageOf(r.target.PIDs); err != nil {
		return now, err
	}
	now.logins, now.at = c.counted(), time.Now()
	if now.client, err = r.proc.usageOf(self()); err != nil {
		return now, err
	}
	now.rss, err = r.proc.rss(r.target.PIDs)
	return now, err
}
