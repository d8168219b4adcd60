package load

import (
	"context"
	"fmt"
	"time"
)

// RunBeside measures logins by turns without and with updates beside. When ctx ends it
// reports what was measured until then, with Interrupted set.
func RunBeside(ctx context.Context, t Target, o BesideOptions, p *Progress) (*BesideRun, error) {
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
	progress *Progress
}

// round is a turn without updates and one with them.
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

// beside is one turn with updates. They are counted from the logins' warm-up to their end.
func (b *besideRun) beside(ctx context.Context) (*LoginRun, error) {
	o := &b.options
	f, err := launch(ctx, fleetOptions{
		Target: b.target, Clients: old(o.Clients), File: o.File, Takers: o.Takers, Busy: signingIn,
		Doze: besideDoze,
	})
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

// besideDoze is for clients that take what the server's limit lets through: a tenth of a
// megabyte comes meanwhile.
const besideDoze = time.Millisecond

// joined is two runs as one; the first may be none.
func joined(before, run *LoginRun) *LoginRun {
	if before == nil {
		return run
	}
	before.add(run)
	return before
}
