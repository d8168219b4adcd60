package auth

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gatepass/auth/srp6a"
)

// timings is how many samples TestTiming_NativeStrangersTakeTheSameTime takes of each kind.
// More of them show a smaller difference:
//
//	go test ./auth -run TestTiming -timings 3000 -v
var timings = flag.Int("timings", 800, "samples for the test of native logins' times")

// tooFar is the |t| from which on two means count as different. By chance a test of that
// many samples comes this far once in 150,000 times.
const tooFar = 4.5

// TestTiming_NativeStrangersTakeTheSameTime: the server's work for a wrong password and for an
// account that does not exist cannot be told apart by its time, by Welch's t. Both kinds
// are measured in one loop in random order, so that what disturbs the machine disturbs
// both. It tells how small a difference it would have seen.
func TestTiming_NativeStrangersTakeTheSameTime(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's time is not ours")
	}
	secret := [32]byte{1}
	params := []Weighted{{nativeParams, 1}}
	known := nativeAccount()
	stored := known.Append(nil)
	// What the logic does to get a verifier is part of it: it makes one up in any case.
	look := func(name string) srp6a.Verifier {
		v := FakeNative(secret, []byte(name), params)
		if name == "ALICE" {
			v, _ = srp6a.ParseVerifier(stored)
		}
		return v
	}
	var challenge, verify [2][]float64
	r := rand.New(rand.NewPCG(1, 2))
	names := [2]string{"ALICE", "NOBODY"}
	for len(challenge[0]) < *timings || len(challenge[1]) < *timings {
		who := r.IntN(2)
		var random, m1 [32]byte
		for i := range random {
			random[i], m1[i] = byte(r.Uint32()), byte(r.Uint32())
		}
		A := make([]byte, nativeParams.Group.Size())
		for i := range A {
			A[i] = byte(r.Uint32())
		}
		begin := time.Now()
		s := srp6a.Server{Name: names[who], Verifier: look(names[who])}
		s.Challenge(&random)
		middle := time.Now()
		_, _, err := s.Verify(A, &m1)
		end := time.Now()
		if err == nil {
			t.Fatal("a random proof was taken")
		}
		challenge[who] = append(challenge[who], float64(middle.Sub(begin)))
		verify[who] = append(verify[who], float64(end.Sub(middle)))
	}
	compare(t, "challenge", challenge)
	compare(t, "verify", verify)
}

// compare fails if the means differ by more than chance. The slowest tenth is left out
// of both by one bound: it is what else the machine does.
func compare(t *testing.T, what string, took [2][]float64) {
	t.Helper()
	all := slices.Sorted(slices.Values(slices.Concat(took[0], took[1])))
	bound := all[len(all)*9/10]
	for i := range took {
		took[i] = slices.DeleteFunc(took[i], func(d float64) bool { return d > bound })
	}
	mean0, error0 := meanAndError(took[0])
	mean1, error1 := meanAndError(took[1])
	noise := math.Sqrt(error0 + error1)
	score := (mean0 - mean1) / noise
	t.Logf("%s: known %.0f ns, unknown %.0f ns, t = %.2f; %.0f ns would show (%d and %d samples)",
		what, mean0, mean1, score, tooFar*noise, len(took[0]), len(took[1]))
	if math.Abs(score) > tooFar {
		t.Errorf("%s: the times differ, |t| is above %v", what, tooFar)
	}
}

// meanAndError returns the mean and the square of its standard error.
func meanAndError(sample []float64) (mean, squared float64) {
	for _, d := range sample {
		mean += d / float64(len(sample))
	}
	for _, d := range sample {
		squared += (d - mean) * (d - mean)
	}
	n := float64(len(sample))
	return mean, squared / (n - 1) / n
}
