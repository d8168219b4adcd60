package load

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	// progressEvery is how often a run says how far it is.
	progressEvery = 200 * time.Millisecond
	// lineEvery is how often a line is written where there is no terminal.
	lineEvery = 5 * time.Second
)

// Progress shows how far a run is: a bar on a terminal, a line now and then
// elsewhere. A nil Progress shows nothing. It belongs to the goroutine that
// runs the scenario.
type Progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time

	prefix string
	bar    *progressbar.ProgressBar
	what   string
	total  int64
	said   time.Time
}

// NewProgress shows on w, which gets a bar if it is a terminal.
func NewProgress(w io.Writer) *Progress {
	f, isFile := w.(*os.File)
	return &Progress{w: w, terminal: isFile && term.IsTerminal(int(f.Fd())), now: time.Now}
}

// Name puts a name before what is shown from now on.
func (p *Progress) Name(name string) {
	if p != nil {
		p.prefix = name + ": "
	}
}

// Begin starts a stage of total steps; 0 means that nobody knows how many.
func (p *Progress) Begin(what string, total int64) {
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

// Set says how many steps are done, and how many logins that was.
func (p *Progress) Set(done int64, logins uint64) { p.tell(done, fmt.Sprintf("%d logins", logins)) }

// tell says how many steps are done, and in words what that was.
func (p *Progress) tell(done int64, words string) {
	if p == nil {
		return
	}
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s %16s", p.what, words))
		_ = p.bar.Set64(p.bounded(done)) // a bar that cannot be drawn is no reason to stop
		return
	}
	if p.now().Sub(p.said) >= lineEvery {
		p.said = p.now()
		fmt.Fprintf(p.w, "%s: %s%s\n", p.what, p.percent(done), words)
	}
}

// bounded keeps the bar from finishing early: only End does that.
func (p *Progress) bounded(done int64) int64 {
	if p.total > 0 {
		return min(done, p.total-1)
	}
	return done
}

func (p *Progress) percent(done int64) string {
	if p.total <= 0 {
		return ""
	}
	return fmt.Sprintf("%d %%, ", min(100, 100*done/p.total))
}

// End takes the bar away.
func (p *Progress) End() {
	if p == nil || p.bar == nil {
		return
	}
	_ = p.bar.Finish()
	p.bar = nil
}
