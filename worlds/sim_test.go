package worlds

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The simulation runs login servers, worlds, clients, a directory that may be wrong, a
// bus that loses, repeats, delays and reorders, clocks with different speeds, and nodes
// that crash at any step and return without data. One seed makes one schedule. The
// invariants are checked after each step.
//
//	sim_test.go          runs schedules and says how to play one again
//	sim_region_test.go   nodes, bus, clocks, crashes
//	sim_client_test.go   what clients do, and what is known of their sessions
//	sim_check_test.go    the invariants
//	sim_hostile_test.go  a world that lies with its credential, and the directory

var (
	simSeed      = flag.Uint64("seed", 0, "play this schedule of the simulation only, and tell its steps")
	simFirst     = flag.Uint64("first", 1, "the first seed of the simulation")
	simSchedules = flag.Uint64("schedules", 1200, "how many schedules the simulation plays")
)

// TestSim runs schedules on all cores.
func TestSim(t *testing.T) {
	if *simSeed != 0 {
		playSeed(t, *simSeed)
		return
	}
	var (
		next, steps, failed atomic.Uint64
		wg                  sync.WaitGroup
		begun               = time.Now()
		every               = max(*simSchedules/10, 1)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			s := newSim()
			for failed.Load() == 0 {
				n := next.Add(1)
				if n > *simSchedules {
					return
				}
				seed := *simFirst + n - 1
				if err := s.play(seed); err != nil && failed.Add(1) == 1 {
					t.Errorf("seed %d: %v\nplay it again: go test ./worlds -run 'TestSim$' -v -seed %d\n%s", seed, err, seed, simTail(seed))
				}
				steps.Add(uint64(s.step))
				if n%every == 0 {
					t.Logf("%d schedules, %d steps, %v", n, steps.Load(), time.Since(begun).Round(time.Second))
				}
			}
		})
	}
	wg.Wait()
}

// playSeed runs one schedule and logs all of it.
func playSeed(t *testing.T, seed uint64) {
	s := newSim()
	s.trace = func(format string, args ...any) { t.Logf(format, args...) }
	if err := s.play(seed); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
}

// simTail returns the last lines of a schedule that fails.
func simTail(seed uint64) string {
	var lines []string
	s := newSim()
	s.trace = func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	_ = s.play(seed) // known to fail
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// TestSim_IsDeterministic: a seed must give the same schedule every time, whatever ran
// before, because a printed seed is useless otherwise.
func TestSim_IsDeterministic(t *testing.T) {
	tell := func(s *sim, seed uint64) string {
		var b strings.Builder
		s.trace = func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
		if err := s.play(seed); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	used := newSim()
	for seed := uint64(1); seed <= 20; seed++ {
		if tell(used, seed) != tell(newSim(), seed) {
			t.Fatalf("seed %d was played in two ways", seed)
		}
	}
}

// TestSim_ReachesEverything checks that the schedules reach every message, outcome and
// reason that is possible in them, because an invariant says nothing about code that
// never runs. It does the same for the hostile world.
func TestSim_ReachesEverything(t *testing.T) {
	s := newSim()
	var kinds [MoveKindCount]int
	var outcomes [OutcomeKindCount][ReasonCount]int
	var given, back, told int
	s.sawMove = func(m *Move) { kinds[m.Kind]++ }
	s.sawOutcome = func(o *Outcome[simOwner]) { outcomes[o.Kind][o.Reason]++ }
	for seed := uint64(1); seed <= 300; seed++ {
		if err := s.play(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		given, back, told = given+len(s.lies.given), back+s.lies.back, told+s.lies.told
	}
	if given == 0 || back == 0 || told == 0 {
		t.Errorf("the hostile world was given %d keys, gave %d back and was told %d times", given, back, told)
	}
	for k := MoveClaim; k < MoveKindCount; k++ {
		if kinds[k] == 0 {
			t.Errorf("no message was a %v", k)
		}
	}
	for _, want := range []struct {
		kind OutcomeKind
		why  []Reason
	}{
		{OutcomeTaken, []Reason{ReasonNone}},
		{OutcomeNotTaken, []Reason{ReasonUnknown, ReasonProof, ReasonBusy, ReasonForeign, ReasonReplaced, ReasonTimeout}},
		{OutcomeLeft, []Reason{ReasonNone}},
		{OutcomeIssued, []Reason{ReasonNone}},
		{OutcomeAdmitted, []Reason{ReasonNone}},
		{OutcomeKept, []Reason{ReasonUnknown, ReasonBusy, ReasonExpired, ReasonReplaced, ReasonTimeout, ReasonRecalled}},
		{OutcomeLapsed, []Reason{ReasonExpired, ReasonReplaced, ReasonRecalled}},
	} {
		for _, why := range want.why {
			if outcomes[want.kind][why] == 0 {
				t.Errorf("nothing came out as %v for %v", want.kind, why)
			}
		}
	}
}
