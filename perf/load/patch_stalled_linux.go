package load

import (
	"context"
	"fmt"
)

// RunStalled lets clients accept a file of which they take nothing, and reads the server's
// memory before they accept and after. When ctx ends it reports what stands by then, with
// Interrupted set.
func RunStalled(ctx context.Context, t Target, o StalledOptions, p *Progress) (*StalledRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(t.PIDs) == 0 {
		return nil, ErrNoProcess
	}
	f, err := launch(ctx, fleetOptions{
		Target: t, Clients: old(o.Clients), File: o.File, Takers: o.Transfers, Busy: signingIn, Stall: true,
	})
	if err != nil {
		return nil, err
	}
	defer f.stopOnce()
	s := stalledRun{launched: f, options: o, progress: p}
	run, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	f.stopOnce()
	run.mishaps, run.Interrupted = f.mishaps, ctx.Err() != nil
	return run, nil
}

// stalledRun is one run of RunStalled.
type stalledRun struct {
	*launched
	options  StalledOptions
	progress *Progress
}

func (s *stalledRun) run(ctx context.Context) (*StalledRun, error) {
	run := &StalledRun{Wanted: s.options.Transfers}
	s.progress.Name("hold")
	s.await(ctx, "offers", s.offered.Load)
	run.Offered = int(s.offered.Load())
	var err error
	if run.Before, run.KernelBefore, err = s.memory(ctx); err != nil {
		return nil, err
	}
	s.accept.Store(true)
	s.poll.wake()
	s.await(ctx, "transfers", s.started.Load)
	if run.After, run.KernelAfter, err = s.memory(ctx); err != nil {
		return nil, err
	}
	run.Held = int(s.started.Load())
	return run, s.stay(ctx, run)
}

// await waits until all clients are counted, or have failed.
func (s *stalledRun) await(ctx context.Context, what string, count func() int64) {
	want := int64(s.options.Transfers)
	s.progress.Begin(what, want)
	defer s.progress.End()
	for count()+int64(s.failed.Load()) < want && pause(ctx, progressEvery/10) {
		s.progress.tell(count(), fmt.Sprintf("%d clients", count()))
	}
}

// stay watches them.
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
	run.Stayed, run.Idle = last.at.Sub(first.at), last.server.since(first.server)
	run.Dropped = s.dropped.Load()
	run.End, _, err = s.memory(ctx)
	return err
}

// memory reads the server's and the kernel's once they had time to settle.
func (s *stalledRun) memory(ctx context.Context) (server, kernel int64, err error) {
	settled := settling{proc: s.proc, pids: s.o.Target.PIDs, pause: s.options.Settle, collect: s.options.Collect}
	if server, err = settled.rss(ctx); err != nil {
		return 0, 0, err
	}
	kernel, err = s.proc.sockets()
	return server, kernel, err
}
