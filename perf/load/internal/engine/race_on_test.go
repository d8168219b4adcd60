//go:build race

package engine

// raceEnabled: the race detector allocates where the code does not.
const raceEnabled = true
