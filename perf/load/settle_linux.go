package load

import (
	"context"
	"time"
)

// settling reads a server's memory once it has had time to settle.
type settling struct {
	proc procfs
	pids []int
	// pause is before each reading, collect what lets the server collect its garbage; nil:
	// it is not told to.
	pause   time.Duration
	collect func(context.Context) error
}

// mostSettles is how often memory is let settle at most: what a server does not give back
// in that time it uses.
const mostSettles = 8

// rss is the server's resident memory in bytes. Where its garbage is collected it is read
// again until it falls no more.
func (s *settling) rss(ctx context.Context) (bytes int64, err error) {
	for range mostSettles {
		before := bytes
		if bytes, err = s.once(ctx); err != nil || s.collect == nil {
			return bytes, err
		}
		if before > 0 && bytes > before-before/100 {
			break // what was collected has been given back
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
	return s.proc.rss(s.pids)
}
