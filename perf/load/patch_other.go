//go:build !linux

package load

import (
	"context"
	"net/netip"
)

// PatchFloor needs epoll.
type PatchFloor struct{}

// ListenPatchFloor returns ErrUnsupported.
func ListenPatchFloor(netip.AddrPort, string) (*PatchFloor, error) { return nil, ErrUnsupported }

// Addr is never reached: there is no PatchFloor.
func (*PatchFloor) Addr() netip.AddrPort { return netip.AddrPort{} }

// Serve is never reached: there is no PatchFloor.
func (*PatchFloor) Serve(context.Context) error { return ErrUnsupported }

// RunThroughput returns ErrUnsupported.
func RunThroughput(context.Context, Target, ThroughputOptions, *Progress) (*ThroughputRun, error) {
	return nil, ErrUnsupported
}

// RunStalled returns ErrUnsupported.
func RunStalled(context.Context, Target, StalledOptions, *Progress) (*StalledRun, error) {
	return nil, ErrUnsupported
}

// RunBeside returns ErrUnsupported.
func RunBeside(context.Context, Target, BesideOptions, *Progress) (*BesideRun, error) {
	return nil, ErrUnsupported
}
