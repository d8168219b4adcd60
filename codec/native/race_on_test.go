//go:build race

package native

// raceEnabled: the race detector allocates, so allocations are not counted.
const raceEnabled = true
