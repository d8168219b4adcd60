package terminal

import (
	"fmt"
	"time"
)

// SizeText returns a number of bytes with a unit and one decimal at most.
func SizeText(n uint64) string {
	units := [...]string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/1024, 0
	for size >= 999.95 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if size == float64(int64(size)) {
		return fmt.Sprintf("%.0f %s", size, units[unit])
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

// SizeExact returns SizeText with the exact number of bytes.
func SizeExact(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%s (%d bytes)", SizeText(n), n)
}

// Count returns a number with its noun in the singular or the plural.
func Count(n uint32, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// Moment returns Unix seconds as RFC 3339, and "never" for 0.
func Moment(seconds int64) string {
	if seconds == 0 {
		return "never"
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}
