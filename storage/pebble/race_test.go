//go:build race

package pebble

// raceEnabled: the race detector slows down and allocates.
const raceEnabled = true
