//go:build race

package storage

// raceEnabled: the race detector slows down and allocates.
const raceEnabled = true
