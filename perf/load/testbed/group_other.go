//go:build !linux

package testbed

import "os/exec"

// ownGroup does nothing: the load client needs Linux.
func ownGroup(*exec.Cmd) {}
