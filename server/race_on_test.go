//go:build race

package server

// raceEnabled tells the budget tests that the race detector would change their counts.
const raceEnabled = true
