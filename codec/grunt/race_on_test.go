//go:build race

package grunt

// raceEnabled: the race detector allocates, so allocations are not counted.
const raceEnabled = true
