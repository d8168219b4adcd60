//go:build !linux

package usage

import "fmt"

func (Reader) cpuOf(pid int) (CPU, error)   { return CPU{}, gone(pid) }
func (Reader) rssOf(pid int) (int64, error) { return 0, gone(pid) }

// gone is the only answer where there is no /proc.
func gone(pid int) error { return fmt.Errorf("%w: %d", ErrProcessGone, pid) }
