package engine

import (
	"math/rand/v2"
	"time"
)

// schedule is the times at which the logins of an open loop begin, as offsets from the
// loop's start. It does not depend on the run: while a server stalls, logins stay due,
// and their waiting time counts from the time on the schedule. In a closed loop, clients
// that wait for a stalled server start no logins, which hides the stall (coordinated
// omission).
//
// Only the goroutine of its engine may use it.
type schedule struct {
	gap time.Duration // mean
	rng *rand.Rand    // nil: all gaps are equal
	due time.Duration // of the next login
}

// newSchedule returns a schedule of rate logins a second, which must be above 0. With
// poisson, the gaps are exponentially distributed; without, they are equal. Equal seeds
// make equal schedules. The first login is one gap after the start.
func newSchedule(rate float64, poisson bool, seed uint64) *schedule {
	s := &schedule{gap: time.Duration(float64(time.Second) / rate)}
	if poisson {
		s.rng = rand.New(rand.NewPCG(seed, 0))
	}
	s.take()
	return s
}

// next returns when the next login is due.
func (s *schedule) next() time.Duration { return s.due }

// take removes the next login from the schedule and returns when it was due.
func (s *schedule) take() time.Duration {
	due := s.due
	if s.rng == nil {
		s.due += s.gap
	} else {
		s.due += time.Duration(s.rng.ExpFloat64() * float64(s.gap))
	}
	return due
}

// overdue removes the logins that were due by now and returns their number, at most
// limit.
func (s *schedule) overdue(now time.Duration, limit int) int {
	n := 0
	for n < limit && s.due <= now {
		s.take()
		n++
	}
	return n
}
