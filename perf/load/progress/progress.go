package progress

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	// Interval is the interval at which a run updates its progress.
	Interval = 200 * time.Millisecond
	// lineEvery is the interval at which a line is written if there is no terminal.
	lineEvery = 5 * time.Second
)

// Display shows the progress of a run: as a bar on a terminal, as lines elsewhere. A nil
// Progress shows nothing. It is not safe for concurrent use.
type Display struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	prefix string
	bar    *progressbar.ProgressBar
	what   string
	total  int64
	said   time.Time
}

// New returns a progress on w. It is a bar if w is a terminal.
func New(w io.Writer) *Display {
	f, isFile := w.(*os.File)
	return &Display{w: w, terminal: isFile && term.IsTerminal(int(f.Fd())), now: time.Now}
}

// Name sets a prefix for everything that is shown from now on.
func (p *Display) Name(name string) {
	if p != nil {
		p.prefix = name + ": "
	}
}

// Begin starts a stage of total steps; 0 means that their number is not known.
func (p *Display) Begin(what string, total int64) {
	if p == nil {
		return
	}
	p.what, p.total, p.said = p.prefix+what, total, p.now()
	if !p.terminal {
		fmt.Fprintln(p.w, p.what)
		return
	}
	if total <= 0 {
		total = -1 // a spinner
	}
	p.bar = progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(p.what),
		progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
}

// Set shows how many steps are done and how many logins that was.
func (p *Display) Set(done int64, logins uint64) { p.Say(done, fmt.Sprintf("%d logins", logins)) }

// Say shows how many steps are done, with a description in words.
func (p *Display) Say(done int64, words string) {
	if p == nil {
		return
	}
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s %16s", p.what, words))
		_ = p.bar.Set64(p.bounded(done)) // a bar that cannot be drawn does not end the run
		return
	}
	if p.now().Sub(p.said) >= lineEvery {
		p.said = p.now()
		fmt.Fprintf(p.w, "%s: %s%s\n", p.what, p.percent(done), words)
	}
}

// bounded limits the steps so that the bar does not finish before End.
func (p *Display) bounded(done int64) int64 {
	if p.total > 0 {
		return min(done, p.total-1)
	}
	return done
}

func (p *Display) percent(done int64) string {
	if p.total <= 0 {
		return ""
	}
	return fmt.Sprintf("%d %%, ", min(100, 100*done/p.total))
}

// End removes the bar.
func (p *Display) End() {
	if p == nil || p.bar == nil {
		return
	}
	_ = p.bar.Finish()
	p.bar = nil
}
