//go:build !race

package server

// raceEnabled tells the budgets that their counts would be the race detector's.
const raceEnabled = false
