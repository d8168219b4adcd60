//go:build !linux

package floor

import (
	"context"
	"errors"
	"net/netip"
)

var errUnsupported = errors.New("load: the load client needs Linux")

// Floor needs epoll.
type Floor struct{}

// ListenFloor always fails.
func ListenFloor(netip.AddrPort) (*Floor, error) { return nil, errUnsupported }

// Addr is not called: there is no Floor.
func (*Floor) Addr() netip.AddrPort { return netip.AddrPort{} }

// Serve is not called: there is no Floor.
func (*Floor) Serve(context.Context) error { return errUnsupported }

// PatchFloor needs epoll.
type PatchFloor struct{}

// ListenPatchFloor always fails.
func ListenPatchFloor(netip.AddrPort, string) (*PatchFloor, error) { return nil, errUnsupported }

// Addr is not called: there is no PatchFloor.
func (*PatchFloor) Addr() netip.AddrPort { return netip.AddrPort{} }

// Serve is not called: there is no PatchFloor.
func (*PatchFloor) Serve(context.Context) error { return errUnsupported }
