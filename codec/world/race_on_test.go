//go:build race

package world

// raceEnabled: the race detector allocates, so allocations are not counted.
const raceEnabled = true
