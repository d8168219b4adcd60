package load

import (
	"context"
	"time"

	"gatepass/perf/load/internal/usage"
)

// settling reads a server's memory once it has had time to settle.
type settling struct {
	proc usage.Reader
	pids []int
	// pause is the time before each reading. collect makes the server collect its garbage;
	// nil: the server is not told to.
	pause   time.Duration
	collect func(context.Context) error
}

// mostSettles is the largest number of readings. Memory that the server has not released
// by then is in use.
const mostSettles = 8

// rss returns the server's resident memory in bytes. With collect, it reads again until
// the memory stops falling.
func (s *settling) rss(ctx context.Context) (bytes int64, err error) {
	for range mostSettles {
		before := bytes
		if bytes, err = s.once(ctx); err != nil || s.collect == nil {
			return bytes, err
		}
		if before > 0 && bytes > before-before/100 {
			break // the collected memory is released
		}
	}
	return bytes, nil
}

func (s *settling) once(ctx context.Context) (int64, error) {
	if s.collect != nil && ctx.Err() == nil {
		if err := s.collect(ctx); err != nil && ctx.Err() == nil {
			return 0, err
		}
	}
	pause(ctx, s.pause)
	return s.proc.RSS(s.pids)
}
