//go:build !unix

package pebble

// lockShared does nothing where files have no such locks.
func lockShared(uintptr) error { return nil }
