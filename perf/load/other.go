//go:build !linux

package load

import (
	"context"
	"time"
)

func measureArithmetic(*Players, time.Duration) (arithmetic, error) {
	return arithmetic{}, ErrUnsupported
}

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
