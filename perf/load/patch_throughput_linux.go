package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatepass/perf/load/internal/usage"
	"gatepass/perf/load/patch"
	"gatepass/perf/load/progress"
)

// RunThroughput lets clients download a file from the floor and from the server in turns.
// When ctx ends it returns the measurements so far, with Interrupted set.
func RunThroughput(ctx context.Context, t Target, o ThroughputOptions, p *progress.Display) (*ThroughputRun, error) {
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

// turn runs the clients once and adds the result to those before. Once ctx has ended it
// does nothing.
func (o *ThroughputOptions) turn(ctx context.Context, t Target, before *SendRun, p *progress.Display) (*SendRun, error) {
	if ctx.Err() != nil {
		return before, nil
	}
	options := o.downloads(&t, o.File)
	options.Count, options.Checkers, options.IdleSleep = o.Downloaders, o.Checkers, throughputIdleSleep
	if t.Canned {
		options.Native = nil // the floor has only grunt
	}
	f, err := startDownload(ctx, t, options)
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

// throughputIdleSleep is the idle sleep of clients that download as fast as they can. At 5 GB/s a
// megabyte arrives meanwhile for all clients together, which their sockets can hold.
const throughputIdleSleep = 200 * time.Microsecond

// download is a set of running clients and the server that they download from.
type download struct {
	*patch.Clients
	target  Target
	proc    usage.Reader
	stopped bool
}

// startDownload checks that the server is reachable and starts the clients.
func startDownload(ctx context.Context, t Target, o patch.Options) (*download, error) {
	if err := roomFor(o.Count); err != nil {
		return nil, err
	}
	if err := t.reach(ctx); err != nil {
		return nil, err
	}
	f, err := patch.NewClients(o)
	if err != nil {
		return nil, err
	}
	f.Start()
	return &download{Clients: f, target: t, proc: usage.NewReader()}, nil
}

// stopOnce stops the clients. Further calls do nothing.
func (l *download) stopOnce() {
	if !l.stopped {
		l.stopped = true
		l.Stop()
	}
}

// waiting is a time to wait and what progress shows meanwhile.
type waiting struct {
	what     string
	d        time.Duration
	progress *progress.Display
}

// wait lets the clients run for a time.
func (l *download) wait(ctx context.Context, w waiting) {
	w.progress.Begin(w.what, int64(w.d/time.Millisecond))
	defer w.progress.End()
	began := time.Now()
	for since := time.Duration(0); since < w.d && pause(ctx, min(progress.Interval, w.d-since)); since = time.Since(began) {
		w.progress.Say(int64(since/time.Millisecond), fmt.Sprintf("%d MiB", l.Bytes.Load()>>20))
	}
}

// sendReading is the clocks and counters at one moment.
type sendReading struct {
	at                    time.Time
	server, client        usage.CPU
	bytes, checked, files uint64
	rss                   int64
}

func (l *download) read() (now sendReading, err error) {
	now.server, err = l.proc.CPU(l.target.PIDs)
	now.at, now.bytes, now.checked, now.files = time.Now(), l.Bytes.Load(), l.Checked.Load(), l.Whole.Load()
	var errClient, errRSS error
	now.client, errClient = l.proc.CPU(self())
	now.rss, errRSS = l.proc.RSS(l.target.PIDs)
	return now, errors.Join(err, errClient, errRSS)
}

// measure reads the clocks, waits, reads them again, and stops the clients.
func (l *download) measure(ctx context.Context, w waiting) (*SendRun, error) {
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

// since returns what happened between two readings. It may only be called after stopOnce.
func (l *download) since(first, last *sendReading) *SendRun {
	return &SendRun{
		Elapsed: last.at.Sub(first.at), Bytes: last.bytes - first.bytes, Checked: last.checked - first.checked,
		Files: last.files - first.files, ServerCPU: last.server.Since(first.server), ClientCPU: last.client.Since(first.client),
		RSS: last.rss, errors: l.Errors,
	}
}
