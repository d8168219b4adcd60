//go:build race

package load

// raceEnabled: the race detector allocates where the code does not.
const raceEnabled = true
