//go:build !race

package grunt

const raceEnabled = false
