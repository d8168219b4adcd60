package load

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RunThroughput lets clients take a file from the floor and from the server by turns. When
// ctx ends it reports what was measured until then, with Interrupted set.
func RunThroughput(ctx context.Context, t Target, o ThroughputOptions, p *Progress) (*ThroughputRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	run := &ThroughputRun{}
	for i := range o.Times {
		var err error
		p.Name(fmt.Sprintf("round %d of %d, floor", i+1, o.Times))
		if o.Floor != nil {
			if run.Floor, err = o.turn(ctx, *o.Floor, run.Floor, p); err != nil {
				return nil, fmt.Errorf("floor: %w", err)
			}
		}
		p.Name(fmt.Sprintf("round %d of %d, server", i+1, o.Times))
		if run.Server, err = o.turn(ctx, t, run.Server, p); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	run.Interrupted = ctx.Err() != nil
	return run, nil
}

// turn is one run, joined to those before. Once ctx has ended it does nothing.
func (o *ThroughputOptions) turn(ctx context.Context, t Target, before *SendRun, p *Progress) (*SendRun, error) {
	if ctx.Err() != nil {
		return before, nil
	}
	options := fleetOptions{
		Target: t, Clients: old(o.Clients), File: o.File, Takers: o.Takers, Checkers: o.Checkers, Busy: signingIn,
		Doze: sendDoze,
	}
	if t.Canned {
		options.Clients.Native = nil // it speaks grunt only
	}
	f, err := launch(ctx, options)
	if err != nil {
		return nil, err
	}
	defer f.stopOnce()
	f.wait(ctx, waiting{"warm-up", o.Warmup, p})
	run, err := f.measure(ctx, waiting{"bytes", o.Duration, p})
	if err != nil {
		return nil, err
	}
	if before != nil {
		before.add(run)
		return before, nil
	}
	return run, nil
}

// signingIn is how many clients sign in at once. What is measured is not that.
const signingIn = 64

// sendDoze is for clients that take what they can: at 5 GB/s a megabyte comes meanwhile, for
// all of them together, which their sockets have room for.
const sendDoze = 200 * time.Microsecond

// old is the clients before the update.
func old(c Clients) Clients {
	c.Build = OldBuild(c.Build)
	return c
}

// launched is a fleet that runs.
type launched struct {
	*fleet
	proc    procfs
	stopped bool
}

// launch starts a fleet against a server that is there.
func launch(ctx context.Context, o fleetOptions) (*launched, error) {
	if err := roomFor(o.Takers); err != nil {
		return nil, err
	}
	if err := o.Target.reach(ctx); err != nil {
		return nil, err
	}
	f, err := newFleet(o)
	if err != nil {
		return nil, err
	}
	f.start()
	return &launched{fleet: f, proc: hostProc()}, nil
}

// stopOnce stops the fleet, unless that was done.
func (l *launched) stopOnce() {
	if !l.stopped {
		l.stopped = true
		l.stop()
	}
}

// waiting is what to show while time goes by.
type waiting struct {
	what     string
	d        time.Duration
	progress *Progress
}

// wait lets the fleet run.
func (l *launched) wait(ctx context.Context, w waiting) {
	w.progress.Begin(w.what, int64(w.d/time.Millisecond))
	defer w.progress.End()
	began := time.Now()
	for since := time.Duration(0); since < w.d && pause(ctx, min(progressEvery, w.d-since)); since = time.Since(began) {
		w.progress.tell(int64(since/time.Millisecond), fmt.Sprintf("%d MiB", l.bytes.Load()>>20))
	}
}

// sendReading is the clocks and counters at one moment.
type sendReading struct {
	at                    time.Time
	server, client        usage
	bytes, checked, files uint64
	rss                   int64
}

func (l *launched) read() (now sendReading, err error) {
	now.server, err = l.proc.usageOf(l.o.Target.PIDs)
	now.at, now.bytes, now.checked, now.files = time.Now(), l.bytes.Load(), l.checked.Load(), l.whole.Load()
	var errClient, errRSS error
	now.client, errClient = l.proc.usageOf(self())
	now.rss, errRSS = l.proc.rss(l.o.Target.PIDs)
	return now, errors.Join(err, errClient, errRSS)
}

// measure reads the clocks, waits, reads them again, and stops the fleet.
func (l *launched) measure(ctx context.Context, w waiting) (*SendRun, error) {
	first, err := l.read()
	if err != nil {
		return nil, err
	}
	l.wait(ctx, w)
	last, err := l.read()
	if err != nil {
		return nil, err
	}
	l.stopOnce()
	return l.since(&first, &last), nil
}

// since is what happened between two readings. Only after stopOnce.
func (l *launched) since(first, last *sendReading) *SendRun {
	return &SendRun{
		Elapsed: last.at.Sub(first.at), Bytes: last.bytes - first.bytes, Checked: last.checked - first.checked,
		Files: last.files - first.files, ServerCPU: last.server.since(first.server), ClientCPU: last.client.since(first.client),
		RSS: last.rss, mishaps: l.mishaps,
	}
}
