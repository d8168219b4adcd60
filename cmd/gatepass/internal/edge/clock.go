package edge

import (
	"context"
	"time"

	"gatepass/deadline"
	"gatepass/logic"
)

// runClock sends the logic ticks, until ctx ends.
func (e *Edge) runClock(ctx context.Context) {
	timer := time.NewTimer(logic.TickEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			timer.Reset(e.core.Pace())
			e.tick()
		case <-ctx.Done():
			return
		}
	}
}

// tick sends the logic the time: that of its deadlines, which is monotonic, and the wall
// clock.
func (e *Edge) tick() { e.inbox.Tick(e.now(), time.Now().UnixMilli()) }

// now returns the time of the logic's deadlines in milliseconds.
func (e *Edge) now() int64 { return deadline.Now().Milliseconds() }
