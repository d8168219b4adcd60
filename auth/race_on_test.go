//go:build race

package auth

// raceEnabled: with the race detector, allocations are not counted, because it allocates too.
const raceEnabled = true
