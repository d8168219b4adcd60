package load

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// crew is the engines of one run, a goroutine each. Its methods belong to the
// goroutine that made it.
type crew struct {
	engines   []*engine
	measuring atomic.Bool
	running   sync.WaitGroup
	ended     chan struct{} // closed when all engines have
	once      sync.Once     // of stop
}

// crewOptions is what the engines share out among themselves.
type crewOptions struct {
	Target  Target
	Clients Clients
	engine  engineOptions // Slots, Busy, Limit and what has no share
	cast    castOptions   // what has no share
	Rate    float64       // 0: a closed loop
	Law     Arrivals
}

func newCrew(o crewOptions) (*crew, error) {
	c := &crew{ended: make(chan struct{})}
	for i := range o.Clients.Threads {
		e, err := newEngine(o.share(i, &c.measuring))
		if err != nil {
			c.closePolls()
			return nil, err
		}
		c.engines = append(c.engines, e)
	}
	return c, nil
}

// share is what engine i of the crew gets.
func (o *crewOptions) share(i int, measuring *atomic.Bool) engineOptions {
	n := o.Clients.Threads
	e := o.engine
	e.Target, e.Sources, e.Canned = o.Target.Addr, o.Clients.sources(o.Target.Addr), o.Target.Canned
	e.Build, e.Timeout, e.Measuring = o.Clients.Build, o.Clients.Timeout, measuring
	e.Slots, e.Busy, e.Limit = shareOf(e.Slots, i, n), max(1, shareOf(e.Busy, i, n)), shareOf(e.Limit, i, n)
	e.Cast = o.cast
	e.Cast.Build, e.Cast.Seed = o.Clients.Build, o.cast.Seed+uint64(i)
	e.Native, e.Players = o.Clients.Native, o.Clients.Native.share(i, n)
	e.Cast.Accounts = nil
	for k := i; k < len(o.Clients.Accounts); k += n {
		e.Cast.Accounts = append(e.Cast.Accounts, o.Clients.Accounts[k])
	}
	if o.Rate > 0 {
		e.Schedule = newSchedule(o.Rate/float64(n), o.Law, e.Cast.Seed)
	}
	return e
}

// shareOf is the i-th of n shares of a whole, as even as can be.
func shareOf(whole, i, n int) int {
	share := whole / n
	if i < whole%n {
		share++
	}
	return share
}

func (c *crew) start() {
	for _, e := range c.engines {
		c.running.Go(e.run)
	}
	go func() {
		c.running.Wait()
		close(c.ended)
	}()
}

// stop tells the engines how to end and waits until they have. A second stop
// does nothing.
func (c *crew) stop(how int32) {
	c.once.Do(func() {
		for _, e := range c.engines {
			e.halt(how)
		}
		<-c.ended
		c.closePolls() // only now: halt wakes engines that have ended too
	})
}

func (c *crew) closePolls() {
	for _, e := range c.engines {
		e.poll.close()
	}
}

// counted is how many logins went as planned so far.
func (c *crew) counted() uint64 { return c.sum(func(e *engine) uint64 { return e.counted.Load() }) }

// finished is how many logins ended so far, either way.
func (c *crew) finished() uint64 { return c.sum(func(e *engine) uint64 { return e.ended.Load() }) }

// held is how many connections are held now.
func (c *crew) held() uint64 { return c.sum(func(e *engine) uint64 { return uint64(e.held.Load()) }) }

// dropped is how many held connections the server has closed.
func (c *crew) dropped() uint64 { return c.sum(func(e *engine) uint64 { return e.dropped.Load() }) }

// lists is how many realm lists held connections have got.
func (c *crew) lists() uint64 { return c.sum(func(e *engine) uint64 { return e.lists.Load() }) }

// shown is how many changes of the watched world clients were shown.
func (c *crew) shown() uint64 { return c.sum(func(e *engine) uint64 { return e.shown.Load() }) }

// moved is how many moves have ended, either way.
func (c *crew) moved() uint64 { return c.sum(func(e *engine) uint64 { return e.moved.Load() }) }

// sightings are who was shown what and when. Only after stop.
func (c *crew) sightings() []sighting {
	var all []sighting
	for _, e := range c.engines {
		all = append(all, e.seen...)
	}
	return all
}

// moveTally merges what the engines counted of one leg. Only after stop.
func (c *crew) moveTally(leg Leg) *moveTally {
	t := newMoveTally()
	for _, e := range c.engines {
		t.merge(e.mover.tallies[leg])
	}
	return t
}

func (c *crew) sum(of func(*engine) uint64) uint64 {
	var n uint64
	for _, e := range c.engines {
		n += of(e)
	}
	return n
}

// tally merges what the engines counted. Only after stop.
func (c *crew) tally() *tally {
	t := newTally()
	for _, e := range c.engines {
		t.merge(e.tally)
	}
	return t
}

// late is how many logins were due by then and never began. Only after stop.
func (c *crew) late(by time.Time) int {
	n := 0
	for _, e := range c.engines {
		n += e.leftover(by.Sub(e.base))
	}
	return n
}

// spareFiles is what a process needs beside its connections.
const spareFiles = 64

// roomFor tells whether this process may open n connections.
func roomFor(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("load: getrlimit: %w", err)
	}
	if uint64(n)+spareFiles > limit.Cur {
		return fmt.Errorf("load: %d connections need %d descriptors and this process may open %d: "+
			"raise it (ulimit -n), or run several of it with fewer each", n, n+spareFiles, limit.Cur)
	}
	return nil
}
