// Package retry is what the parts of the bus use when they try something again: pauses,
// which errors pass by themselves, and when the log reports a failure that repeats.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff returns a pause that doubles with every attempt, from least up to most. Up to
// half of it is random, so that nodes that lost the bus together do not come back
// together.
func Backoff(attempt int, least, most time.Duration) time.Duration {
	pause := most
	if attempt < 16 {
		pause = min(most, least<<attempt)
	}
	return pause/2 + rand.N(pause/2+1)
}

// Sleep waits for a pause. It returns false at once when ctx ends.
func Sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
