package retry

import (
	"testing"
	"time"
)

func TestBackoff_GrowsToItsBound(t *testing.T) {
	t.Parallel()
	for attempt := range 40 {
		got := Backoff(attempt, time.Second, 8*time.Second)
		most := min(8*time.Second, time.Second<<min(attempt, 10))
		if got < most/2 || got > most {
			t.Errorf("attempt %d: %s", attempt, got)
		}
	}
}
