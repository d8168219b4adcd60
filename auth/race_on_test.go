//go:build race

package auth

// raceEnabled tells the allocation tests that their counts would be the race detector's.
const raceEnabled = true
