//go:build !linux

package load

import (
	"context"
	"net/netip"
	"time"
)

// Floor needs epoll.
type Floor struct{}

// ListenFloor returns ErrUnsupported.
func ListenFloor(netip.AddrPort) (*Floor, error) { return nil, ErrUnsupported }

// Addr is never reached: there is no Floor.
func (*Floor) Addr() netip.AddrPort { return netip.AddrPort{} }

// Serve is never reached: there is no Floor.
func (*Floor) Serve(context.Context) error { return ErrUnsupported }

func (*Players) bareWork(time.Duration) (bare, error) { return bare{}, ErrUnsupported }

// RunLogin returns ErrUnsupported.
func RunLogin(context.Context, Target, LoginOptions, *Progress) (*LoginRun, error) {
	return nil, ErrUnsupported
}

// RunWorlds returns ErrUnsupported.
func RunWorlds(context.Context, Target, WorldsOptions, *Progress) (*WorldsRun, error) {
	return nil, ErrUnsupported
}

// RunPass returns ErrUnsupported.
func RunPass(context.Context, Target, PassOptions, *Progress) (*PassRun, error) {
	return nil, ErrUnsupported
}

// RunHold returns ErrUnsupported.
func RunHold(context.Context, Target, HoldOptions, *Progress) (*HoldRun, error) {
	return nil, ErrUnsupported
}
