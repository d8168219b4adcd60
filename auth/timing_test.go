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

// timings is the number of samples of each kind in TestTiming_NativeStrangersTakeTheSameTime.
// More samples show a smaller difference:
//
//	go test ./auth -run TestTiming -timings 3000 -v
var timings = flag.Int("timings", 800, "samples for the test of native logins' times")

// tooFar is the |t| from which two means count as different. By chance a test with that many
// samples reaches it once in 150,000 times.
const tooFar = 4.5

// TestTiming_NativeStrangersTakeTheSameTime checks by Welch's t that the server's work takes
// the same time for a wrong password and for an account that does not exist. It measures both
// kinds in one loop in random order, so other work on the machine affects both. It logs the
// smallest difference that it could have detected.
func TestTiming_NativeStrangersTakeTheSameTime(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's time is not ours")
	}
	secret := [32]byte{1}
	params := []Weighted{{nativeParams, 1}}
	known := nativeAccount()
	stored := known.Append(nil)
	// This includes the logic's work to get a verifier: it makes one up in both cases.
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

// compare fails if the means differ by more than chance explains. It excludes the slowest
// tenth of all samples, by one limit for both kinds, because other work of the machine made
// them slow.
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
