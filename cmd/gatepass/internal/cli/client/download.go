package client

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"gatepass/client"
)

const (
	// clearLine removes the meter.
	clearLine = "\r\x1b[K"
	// lineCells limits the width of the meter to one line of a small terminal.
	lineCells = 79
)

// download runs get and shows its progress on the meter or by lines until get returns.
// The quit order ends it, as the context does.
func (v *visit) download(ctx context.Context, get func(context.Context, func(client.UpdateProgress)) (string, error)) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shown := &shown{meter: meter{build: uint16(v.build)}}
	progress := shown.take
	if v.events != nil {
		s := &sieve{}
		progress = func(p client.UpdateProgress) {
			if s.passes(time.Now(), p) {
				_ = v.events.tell(p)
			}
		}
	}
	over, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		v.draw(shown, over, cancel)
	}()
	path, err := get(ctx, progress)
	close(over)
	<-drawn
	return path, err
}

// draw runs in its own goroutine and shows the progress.
func (v *visit) draw(s *shown, over <-chan struct{}, quit func()) {
	ticker := time.NewTicker(meterEvery)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			if v.events == nil {
				fmt.Fprint(v.cmd.ErrOrStderr(), clearLine)
			}
			return
		case now := <-ticker.C:
			if v.events == nil {
				s.draw(v.cmd.ErrOrStderr(), now)
			}
		case o := <-v.orders:
			if o.deed == deedQuit {
				quit()
			} else {
				_ = v.events.tell(refusedNews{o.deed, o.world, errDownloading})
			}
		}
	}
}

// shown passes the meter from the download's goroutine to the drawing goroutine.
type shown struct {
	mu    sync.Mutex
	meter meter
	any   bool
	seen  string // on the terminal now
}

func (s *shown) take(p client.UpdateProgress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meter.take(time.Now(), p)
	s.any = true
}

func (s *shown) draw(out io.Writer, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := ""
	if s.any {
		line = ansi.Truncate(s.meter.line(now), lineCells, "…")
	}
	if line != s.seen { // a prompt for a code may follow it
		s.seen = line
		fmt.Fprint(out, clearLine+line)
	}
}
