package load

import (
	"math/rand/v2"
	"time"
)

// Arrivals is the law by which the logins of an open loop begin.
type Arrivals string

const (
	// ArrivalsPoisson: independent players, as in life; gaps are exponential.
	ArrivalsPoisson Arrivals = "poisson"
	// ArrivalsEven: all gaps are equal; the kindest load of a given rate.
	ArrivalsEven Arrivals = "even"
)

// schedule says when the logins of an open loop begin, as offsets from the
// loop's start. It depends on nothing that happens in the run: a server that
// stalls finds its clients waiting all the same, and their wait is counted from
// the moment named here. A closed loop, whose clients kindly wait for the
// server, hides just that.
//
// It belongs to one engine.
type schedule struct {
	gap time.Duration // mean
	rng *rand.Rand    // nil: even
	due time.Duration
}

// newSchedule is for rate logins a second, over 0. Equal seeds make equal
// schedules; the first login is one gap after the start.
func newSchedule(rate float64, law Arrivals, seed uint64) *schedule {
	s := &schedule{gap: time.Duration(float64(time.Second) / rate)}
	if law == ArrivalsPoisson {
		s.rng = rand.New(rand.NewPCG(seed, 0))
	}
	s.take()
	return s
}

// next is when the next login is due.
func (s *schedule) next() time.Duration { return s.due }

// take moves on to the login after the next one and returns when the next one
// was due.
func (s *schedule) take() time.Duration {
	due := s.due
	if s.rng == nil {
		s.due += s.gap
	} else {
		s.due += time.Duration(s.rng.ExpFloat64() * float64(s.gap))
	}
	return due
}

// overdue is how many logins were due by now and have not been taken. It counts
// no further than limit.
func (s *schedule) overdue(now time.Duration, limit int) int {
	n := 0
	for n < limit && s.due <= now {
		s.take()
		n++
	}
	return n
}
