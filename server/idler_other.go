//go:build !linux

package server

import "time"

// canNap tells whether napUntilReadable works here.
const canNap = false

func napUntilReadable(int, int, time.Duration) bool { return false }
