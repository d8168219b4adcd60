package load

import (
	"context"
	"fmt"
	"time"

	"gatepass/perf/load/progress"
)

// RunBeside measures logins in turns without and with updates at the same time. When ctx
// ends it returns the measurements so far, with Interrupted set.
func RunBeside(ctx context.Context, t Target, o BesideOptions, p *progress.Display) (*BesideRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	b := besideRun{target: t, options: o, progress: p}
	for i := range o.Times {
		if ctx.Err() != nil {
			break
		}
		if err := b.round(ctx, i); err != nil {
			return nil, err
		}
	}
	b.Interrupted = ctx.Err() != nil
	return &b.BesideRun, nil
}

// besideRun is one run of RunBeside.
type besideRun struct {
	BesideRun
	target   Target
	options  BesideOptions
	progress *progress.Display
}

// round is one turn without updates and one with them.
func (b *besideRun) round(ctx context.Context, i int) error {
	var round BesideRound
	b.progress.Name(fmt.Sprintf("round %d of %d, no updates", i+1, b.options.Times))
	run, err := RunLogin(ctx, b.target, b.options.Login, b.progress)
	if err != nil {
		return err
	}
	round.Off = run.whole()
	b.Off = joined(b.Off, run)
	if ctx.Err() != nil {
		return nil
	}
	b.progress.Name(fmt.Sprintf("round %d of %d, updates beside", i+1, b.options.Times))
	if run, err = b.beside(ctx); err != nil {
		return err
	}
	round.On = run.whole()
	b.On = joined(b.On, run)
	b.Rounds = append(b.Rounds, round)
	return nil
}

// beside is one turn with updates. They count from the warm-up of the logins to their
// end.
func (b *besideRun) beside(ctx context.Context) (*LoginRun, error) {
	o := &b.options
	options := o.downloads(&b.target, o.File)
	options.Count, options.IdleSleep = o.Downloaders, besideIdleSleep
	f, err := startDownload(ctx, b.target, options)
	if err != nil {
		return nil, err
	}
	defer f.stopOnce()
	f.wait(ctx, waiting{"updates begin", o.Login.Warmup, b.progress})
	first, err := f.read()
	if err != nil {
		return nil, err
	}
	run, err := RunLogin(ctx, b.target, o.Login, b.progress)
	if err != nil {
		return nil, err
	}
	last, err := f.read()
	if err != nil {
		return nil, err
	}
	f.stopOnce()
	b.Sent.add(f.since(&first, &last))
	return run, nil
}

// besideIdleSleep is the idle sleep of clients that download at the server's limit. A tenth of
// a megabyte arrives meanwhile.
const besideIdleSleep = time.Millisecond

// joined returns the sum of two runs; the first may be nil.
func joined(before, run *LoginRun) *LoginRun {
	if before == nil {
		return run
	}
	before.add(run)
	return before
}
