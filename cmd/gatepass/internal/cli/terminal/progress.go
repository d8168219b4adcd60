package terminal

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// plainEvery is the time between two lines of progress where no bar can be drawn.
const plainEvery = 5 * time.Second

// ProgressOptions say what a progress shows.
type ProgressOptions struct {
	Label string
	// Total is -1 where it is not known.
	Total int64
	// bytes tells that bytes are counted, not accounts.
	Bytes, Quiet bool
}

// Progress shows how far a job has come: a bar on a terminal, else a line now and
// then. Used by one goroutine.
type Progress struct {
	out   io.Writer
	label string
	quiet bool
	total int64
	// bar is nil where none is drawn.
	bar         *progressbar.ProgressBar
	began, last time.Time
}

func NewProgress(out io.Writer, o ProgressOptions) *Progress {
	p := &Progress{out: out, label: o.Label, quiet: o.Quiet, total: o.Total, began: time.Now(), last: time.Now()}
	file, ok := out.(*os.File)
	if o.Quiet || !ok || !term.IsTerminal(int(file.Fd())) {
		return p
	}
	p.bar = progressbar.NewOptions64(o.Total,
		progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(o.Label),
		progressbar.OptionShowBytes(o.Bytes), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	return p
}

// To shows a new position, with a note behind it.
func (p *Progress) To(position int64, note string) {
	switch {
	case p.bar != nil:
		if note != "" {
			p.bar.Describe(p.label + ", " + note)
		}
		p.bar.Set64(position)
	case !p.quiet && time.Since(p.last) >= plainEvery:
		p.last = time.Now()
		fmt.Fprintf(p.out, "%s: %s\n", p.label, p.plain(position, note))
	}
}

func (p *Progress) plain(position int64, note string) string {
	switch {
	case note == "":
		return fmt.Sprintf("%d accounts", position)
	case p.total > 0:
		return fmt.Sprintf("%s, %d %%%s", note, position*100/p.total, leftText(time.Since(p.began), position, p.total))
	}
	return note
}

// leftText estimates how long the rest takes, as the bar does where it is drawn.
func leftText(took time.Duration, position, total int64) string {
	if position <= 0 || position >= total {
		return ""
	}
	left := time.Duration(float64(took) / float64(position) * float64(total-position))
	return fmt.Sprintf(", about %v left", left.Round(time.Second))
}

// Line prints a line without tearing the bar.
func (p *Progress) Line(format string, args ...any) {
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// End takes the bar away.
func (p *Progress) End() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
