package load

import (
	"context"
	"fmt"

	"gatepass/perf/load/progress"
)

// RunStalled lets clients accept a file and stop reading, and reads the server's memory
// before and after. When ctx ends it returns the measurements so far, with Interrupted
// set.
func RunStalled(ctx context.Context, t Target, o StalledOptions, p *progress.Display) (*StalledRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(t.PIDs) == 0 {
		return nil, ErrNoProcess
	}
	options := o.downloads(&t, o.File)
	options.Count, options.Stall = o.Transfers, true
	f, err := startDownload(ctx, t, options)
	if err != nil {
		return nil, err
	}
	defer f.stopOnce()
	s := stalledRun{download: f, options: o, progress: p}
	run, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	f.stopOnce()
	run.errors, run.Interrupted = f.Errors, ctx.Err() != nil
	return run, nil
}

// stalledRun is one run of RunStalled.
type stalledRun struct {
	*download
	options  StalledOptions
	progress *progress.Display
}

func (s *stalledRun) run(ctx context.Context) (*StalledRun, error) {
	run := &StalledRun{Wanted: s.options.Transfers}
	s.progress.Name("hold")
	s.await(ctx, "offers", s.Offered.Load)
	run.Offered = int(s.Offered.Load())
	var err error
	if run.Before, run.KernelBefore, err = s.memory(ctx); err != nil {
		return nil, err
	}
	s.AcceptOffers()
	s.await(ctx, "transfers", s.Started.Load)
	if run.After, run.KernelAfter, err = s.memory(ctx); err != nil {
		return nil, err
	}
	run.Held = int(s.Started.Load())
	return run, s.stay(ctx, run)
}

// await waits until each client is counted or has failed.
func (s *stalledRun) await(ctx context.Context, what string, count func() int64) {
	want := int64(s.options.Transfers)
	s.progress.Begin(what, want)
	defer s.progress.End()
	for count()+int64(s.Failed.Load()) < want && pause(ctx, progress.Interval/10) {
		s.progress.Say(count(), fmt.Sprintf("%d clients", count()))
	}
}

// stay holds the transfers and measures the cost.
func (s *stalledRun) stay(ctx context.Context, run *StalledRun) error {
	first, err := s.read()
	if err != nil {
		return err
	}
	s.wait(ctx, waiting{"holding", s.options.Hold, s.progress})
	last, err := s.read()
	if err != nil {
		return err
	}
	run.Stayed, run.Idle = last.at.Sub(first.at), last.server.Since(first.server)
	run.Dropped = s.Dropped.Load()
	run.End, _, err = s.memory(ctx)
	return err
}

// memory returns the memory of the server and of the sockets once it has settled.
func (s *stalledRun) memory(ctx context.Context) (server, kernel int64, err error) {
	settled := settling{proc: s.proc, pids: s.target.PIDs, pause: s.options.Settle, collect: s.options.Collect}
	if server, err = settled.rss(ctx); err != nil {
		return 0, 0, err
	}
	kernel, err = s.proc.Sockets()
	return server, kernel, err
}
