//go:build race

package srp6

// raceEnabled: with the race detector, allocations are not counted, because it allocates too.
const raceEnabled = true
