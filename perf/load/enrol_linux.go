package load

import (
	"context"
	"fmt"

	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/progress"
)

// enrol lets every native account sign in by password once and request a token.
func enrol(ctx context.Context, t Target, o Clients, p *progress.Display) error {
	n := len(o.Native.List)
	shared := o.engines(&t)
	shared.Engine.Slots, shared.Engine.Busy, shared.Engine.Limit, shared.Engine.RequestToken = enrolBusy, enrolBusy, n, true
	c, err := engine.NewWorkers(shared)
	if err != nil {
		return err
	}
	c.Measuring.Store(true) // the limit counts only measured logins
	c.Start()
	defer c.Stop(engine.StopNow)
	p.Begin("tokens", int64(n))
	for alive := true; alive && pause(ctx, progress.Interval/10); {
		p.Set(int64(c.Finished()), c.Counted())
		select {
		case <-c.Ended:
			alive = false
		default:
		}
	}
	p.End()
	c.Stop(engine.StopNow)
	if ctx.Err() == nil && !o.Native.HaveTokens() {
		return fmt.Errorf("load: %d of %d players were given a token: %v", c.Counted(), n, c.Logins().FaultCounts())
	}
	return nil
}

// enrolBusy is how many accounts sign in at once for their tokens.
const enrolBusy = 32
