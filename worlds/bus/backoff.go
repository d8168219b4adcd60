package bus

import (
	"math/rand/v2"
	"time"
)

// backoff is a pause that doubles with every attempt up to most. Up to half of
// it is random, so that those who lost the bus together do not come back
// together.
func backoff(attempt int, least, most time.Duration) time.Duration {
	pause := most
	if attempt < 16 {
		pause = min(most, least<<attempt)
	}
	return pause/2 + rand.N(pause/2+1)
}

func reconnectDelay(attempts int) time.Duration {
	return backoff(attempts, reconnectMin, reconnectMax)
}
