package load

import (
	"context"
	"errors"
	"time"
)

// ErrNoProcess says that memory was asked for without naming a process.
var ErrNoProcess = errors.New("load: no server process named to read the memory of")

// RunHold logs connections in, keeps them, and reads the server's memory before
// and after. When ctx ends it reports what stands by then, with Interrupted
// set.
func RunHold(ctx context.Context, t Target, o HoldOptions, p *Progress) (*HoldRun, error) {
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
	h := holdRun{target: t, options: o, progress: p, proc: hostProc()}
	if err := h.warm(ctx); err != nil {
		return nil, err
	}
	return h.run(ctx)
}

// holdRun is one run of RunHold.
type holdRun struct {
	target   Target
	options  HoldOptions
	progress *Progress
	proc     procfs
}

// warm lets some logins come and go.
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
	c, err := newCrew(h.options.crew(h.target))
	if err != nil {
		return nil, err
	}
	c.measuring.Store(true)
	c.start()
	defer c.stop(stopNow)
	run.Ramp = rampUp(ctx, c, run.Wanted, h.progress)
	if run.After, err = h.memory(ctx); err != nil {
		return nil, err
	}
	run.Held = int(c.held())
	if err := h.stay(ctx, c, run); err != nil {
		return nil, err
	}
	c.stop(stopNow)
	run.tally, run.Dropped, run.Lists, run.Interrupted = c.tally(), c.dropped(), c.lists(), ctx.Err() != nil
	return run, nil
}

// rampBusy is how many connections log in at once while the number grows.
const rampBusy = 64

func (o *HoldOptions) crew(t Target) crewOptions {
	return crewOptions{
		Target: t, Clients: o.Clients, Rate: o.Rate, Law: ArrivalsEven,
		engine: engineOptions{
			Slots: o.Connections, Busy: max(rampBusy, o.Threads), Limit: o.Connections,
			Hold: true, ListEvery: o.ListEvery,
		},
	}
}

// rampUp waits until as many connections as wanted have logged in or failed to,
// and returns how long that took.
func rampUp(ctx context.Context, c *crew, wanted int, p *Progress) time.Duration {
	began := time.Now()
	p.Begin("connections", int64(wanted))
	defer p.End()
	for c.finished() < uint64(wanted) && pause(ctx, progressEvery/10) {
		p.Set(int64(c.finished()), c.counted())
	}
	return time.Since(began)
}

// stay holds, and reads what that costs.
func (h *holdRun) stay(ctx context.Context, c *crew, run *HoldRun) error {
	first, err := h.proc.usageOf(h.target.PIDs)
	if err != nil {
		return err
	}
	began := time.Now()
	h.progress.Begin("holding", int64(h.options.Hold/time.Millisecond))
	for since := time.Duration(0); since < h.options.Hold && pause(ctx, progressEvery); since = time.Since(began) {
		h.progress.Set(int64(since/time.Millisecond), c.counted())
	}
	h.progress.End()
	run.Stayed = time.Since(began)
	last, err := h.proc.usageOf(h.target.PIDs)
	if err != nil {
		return err
	}
	run.Idle = last.since(first)
	run.End, err = h.memory(ctx)
	return err
}

// memory reads the server's memory once it had time to settle.
func (h *holdRun) memory(ctx context.Context) (int64, error) {
	settled := settling{proc: h.proc, pids: h.target.PIDs, pause: h.options.Settle, collect: h.options.Collect}
	return settled.rss(ctx)
}

// pause waits; it is false when ctx ended first.
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
