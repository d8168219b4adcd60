//go:build !linux

package load

import (
	"context"
	"time"

	"gatepass/perf/load/players"
	"gatepass/perf/load/progress"
)

func measureArithmetic(*players.Native, time.Duration) (arithmetic, error) {
	return arithmetic{}, ErrUnsupported
}

// RunLogin returns ErrUnsupported.
func RunLogin(context.Context, Target, LoginOptions, *progress.Display) (*LoginRun, error) {
	return nil, ErrUnsupported
}

// RunWorlds returns ErrUnsupported.
func RunWorlds(context.Context, Target, WorldsOptions, *progress.Display) (*WorldsRun, error) {
	return nil, ErrUnsupported
}

// RunPass returns ErrUnsupported.
func RunPass(context.Context, Target, PassOptions, *progress.Display) (*PassRun, error) {
	return nil, ErrUnsupported
}

// RunHold returns ErrUnsupported.
func RunHold(context.Context, Target, HoldOptions, *progress.Display) (*HoldRun, error) {
	return nil, ErrUnsupported
}

// RunThroughput returns ErrUnsupported.
func RunThroughput(context.Context, Target, ThroughputOptions, *progress.Display) (*ThroughputRun, error) {
	return nil, ErrUnsupported
}

// RunStalled returns ErrUnsupported.
func RunStalled(context.Context, Target, StalledOptions, *progress.Display) (*StalledRun, error) {
	return nil, ErrUnsupported
}

// RunBeside returns ErrUnsupported.
func RunBeside(context.Context, Target, BesideOptions, *progress.Display) (*BesideRun, error) {
	return nil, ErrUnsupported
}
