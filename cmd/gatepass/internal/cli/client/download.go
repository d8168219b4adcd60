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
	// clearLine takes the meter away.
	clearLine = "\r\x1b[K"
	// lineCells bounds the meter, so that it stays in one line of small terminals.
	lineCells = 79
)

// download runs get and shows how far it is, by the meter or by lines, until it has
// returned. The order to quit ends it as the context does.
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

// draw is download's goroutine beside.
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

// shown is a meter between the download's goroutine and the one that draws.
type shown struct {
	mu    sync.Mutex
	meter meter
	any   bool
	seen  string // is on the terminal
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
	if line != s.seen { // a code may be asked for behind it
		s.seen = line
		fmt.Fprint(out, clearLine+line)
	}
}
