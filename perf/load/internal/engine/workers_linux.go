package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/players"
)

// Workers runs engines, each in a goroutine of its own. Only the goroutine that made it may
// call its methods.
type Workers struct {
	engines   []*Engine
	Measuring atomic.Bool
	running   sync.WaitGroup
	Ended     chan struct{} // closed when all engines have ended
	once      sync.Once     // for stop
}

// WorkersOptions configures a run. The engines share the numbers in it evenly.
type WorkersOptions struct {
	// Threads is the number of engines. Each needs an account of its own.
	Threads int
	// Engine has what all engines have in common. Its Slots, Busy and Limit are totals;
	// Measuring, Schedule, Players and the accounts in Cast are set for each engine.
	Engine Options
	// Accounts are those of all engines.
	Accounts []players.Account
	// Rate is the logins a second of an open loop, with exponential gaps for Poisson and
	// equal ones otherwise. 0: a closed loop.
	Rate    float64
	Poisson bool
}

// NewWorkers makes the engines and starts none.
func NewWorkers(o WorkersOptions) (*Workers, error) {
	c := &Workers{Ended: make(chan struct{})}
	for i := range o.Threads {
		e, err := newEngine(o.share(i, &c.Measuring))
		if err != nil {
			c.closePolls()
			return nil, err
		}
		c.engines = append(c.engines, e)
	}
	return c, nil
}

// share returns the options of engine i.
func (o *WorkersOptions) share(i int, measuring *atomic.Bool) Options {
	n := o.Threads
	e := o.Engine
	e.Measuring, e.Players = measuring, e.Native.Share(i, n)
	e.Slots, e.Busy, e.Limit = shareOf(e.Slots, i, n), max(1, shareOf(e.Busy, i, n)), shareOf(e.Limit, i, n)
	e.Attempts.Build, e.Attempts.Seed = e.Build, e.Attempts.Seed+uint64(i)
	e.Attempts.Accounts = nil
	for k := i; k < len(o.Accounts); k += n {
		e.Attempts.Accounts = append(e.Attempts.Accounts, o.Accounts[k])
	}
	if o.Rate > 0 {
		e.Schedule = newSchedule(o.Rate/float64(n), o.Poisson, e.Attempts.Seed)
	}
	return e
}

// shareOf returns the i-th of n shares of a whole. Shares differ by one at most.
func shareOf(whole, i, n int) int {
	share := whole / n
	if i < whole%n {
		share++
	}
	return share
}

// Start starts the engines. They run until stop, or until their limit is reached.
func (c *Workers) Start() {
	for _, e := range c.engines {
		c.running.Go(e.run)
	}
	go func() {
		c.running.Wait()
		close(c.Ended)
	}()
}

// Stop ends the engines in the given way and waits until they have ended. Further calls
// do nothing.
func (c *Workers) Stop(how int32) {
	c.once.Do(func() {
		for _, e := range c.engines {
			e.halt(how)
		}
		<-c.Ended
		c.closePolls() // not earlier, because halt also wakes engines that have ended
	})
}

func (c *Workers) closePolls() {
	for _, e := range c.engines {
		e.poll.Close()
	}
}

// Counted returns how many logins have gone as planned so far.
func (c *Workers) Counted() uint64 { return c.sum(func(e *Engine) uint64 { return e.counted.Load() }) }

// Finished returns how many logins have ended so far, with any result.
func (c *Workers) Finished() uint64 { return c.sum(func(e *Engine) uint64 { return e.ended.Load() }) }

// Held returns how many connections are held now.
func (c *Workers) Held() uint64 {
	return c.sum(func(e *Engine) uint64 { return uint64(e.held.Load()) })
}

// Dropped returns how many held connections the server has closed.
func (c *Workers) Dropped() uint64 { return c.sum(func(e *Engine) uint64 { return e.dropped.Load() }) }

// Lists returns how many requested lists held connections have received.
func (c *Workers) Lists() uint64 { return c.sum(func(e *Engine) uint64 { return e.lists.Load() }) }

// Shown returns how many changes of the watched world clients have received.
func (c *Workers) Shown() uint64 { return c.sum(func(e *Engine) uint64 { return e.shown.Load() }) }

// Moved returns how many moves have ended, with any result.
func (c *Workers) Moved() uint64 { return c.sum(func(e *Engine) uint64 { return e.moved.Load() }) }

// Sightings returns when clients received which change. It may only be called after stop.
func (c *Workers) Sightings() []Sighting {
	var all []Sighting
	for _, e := range c.engines {
		all = append(all, e.sightings...)
	}
	return all
}

// MoveCounts returns the results of one leg. It may only be called after stop.
func (c *Workers) MoveCounts(leg counts.Leg) *counts.Moves {
	t := counts.NewMoves()
	for _, e := range c.engines {
		t.Merge(e.mover.counts[leg])
	}
	return t
}

func (c *Workers) sum(of func(*Engine) uint64) uint64 {
	var n uint64
	for _, e := range c.engines {
		n += of(e)
	}
	return n
}

// Logins returns the results of the logins. It may only be called after stop.
func (c *Workers) Logins() *counts.Logins {
	t := counts.NewLogins()
	for _, e := range c.engines {
		t.Merge(e.counts)
	}
	return t
}

// Late returns how many logins were due by then and did not begin. It may only be called
// after stop.
func (c *Workers) Late(by time.Time) int {
	n := 0
	for _, e := range c.engines {
		n += e.leftover(by.Sub(e.base))
	}
	return n
}
