package load

import (
	"context"
	"fmt"
	"time"
)

// RunWorlds logs connections in and measures how long it takes until the last of
// them was sent a change of a world. The server must push its list. When ctx ends
// it reports the changes until then, with Interrupted set.
func RunWorlds(ctx context.Context, t Target, o WorldsOptions, p *Progress) (*WorldsRun, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := roomFor(o.Hold.Connections); err != nil {
		return nil, err
	}
	if err := t.reach(ctx); err != nil {
		return nil, err
	}
	w := newWatch(o.World, o.Changes)
	shared := o.Hold.crew(t)
	shared.engine.Watch = w
	c, err := newCrew(shared)
	if err != nil {
		return nil, err
	}
	c.measuring.Store(true)
	c.start()
	defer c.stop(stopNow)
	run := worldsRun{target: t, options: o, progress: p, proc: hostProc(), crew: c, watch: w}
	return run.run(ctx)
}

// worldsRun is one run of RunWorlds.
type worldsRun struct {
	target   Target
	options  WorldsOptions
	progress *Progress
	proc     procfs
	crew     *crew
	watch    *watch
}

func (w *worldsRun) run(ctx context.Context) (*WorldsRun, error) {
	o := &w.options
	run := &WorldsRun{Wanted: o.Hold.Connections}
	rampUp(ctx, w.crew, run.Wanted, w.progress)
	run.Held = int(w.crew.held())
	w.progress.Begin("changes", int64(o.Changes))
	for i := range o.Changes {
		if !pause(ctx, o.Pause) {
			break
		}
		change, err := w.change(ctx, i%2 == 0)
		if err != nil {
			w.progress.End()
			return nil, err
		}
		run.Changes = append(run.Changes, change)
		w.progress.Set(int64(i+1), w.crew.counted())
	}
	w.progress.End()
	w.crew.stop(stopNow)
	run.tally, run.Interrupted = w.crew.tally(), ctx.Err() != nil
	run.settle(w.crew.sightings())
	return run, nil
}

// change makes one and waits until all who are there were shown it.
func (w *worldsRun) change(ctx context.Context, online bool) (WorldChange, error) {
	before := w.crew.shown()
	first, err := w.proc.usageOf(w.target.PIDs)
	if err != nil {
		return WorldChange{}, err
	}
	change := WorldChange{Online: online, number: w.watch.begin()}
	if err := w.options.Set(ctx, online); err != nil {
		return change, fmt.Errorf("load: change %d: %w", change.number, err)
	}
	limit := time.Now().Add(w.options.Limit)
	for w.crew.shown()-before < w.crew.held() && time.Now().Before(limit) && pause(ctx, time.Millisecond) {
	}
	w.watch.pending.Store(false)
	last, err := w.proc.usageOf(w.target.PIDs)
	change.ServerCPU = last.since(first)
	return change, err
}

// settle fills in who was shown what and when.
func (r *WorldsRun) settle(seen []sighting) {
	for i := range r.Changes {
		c := &r.Changes[i]
		times := spread(seen, c.number)
		c.Shown = len(times)
		c.First, c.P50, c.P99, c.Last = quantile(times, 0), quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1)
	}
}

// onPush takes lists that a held client was sent unasked.
func (e *engine) onPush(c *client) (Fault, bool) {
	if e.o.Watch == nil {
		return FaultGarbage, false
	}
	rest := c.buf[:c.got]
	for len(rest) >= realmListHead {
		size := listSize(rest)
		if rest[0] != opRealmList {
			return FaultGarbage, false
		}
		if len(rest) < size {
			break
		}
		if e.o.Watch.awaited(c.change) {
			e.look(c, e.o.Watch.online(rest[:size]))
		}
		rest = rest[size:]
	}
	c.got = copy(c.buf, rest)
	if c.got >= realmListHead {
		c.reserve(listSize(c.buf))
	}
	return noFault, true
}

// look takes note of what a client was shown of the watched world.
func (e *engine) look(c *client, online bool) {
	s, ok := e.o.Watch.sight(online, c.change)
	if !ok || len(e.seen) == cap(e.seen) {
		return
	}
	c.change = s.change
	e.seen = append(e.seen, s)
	e.shown.Add(1)
}
