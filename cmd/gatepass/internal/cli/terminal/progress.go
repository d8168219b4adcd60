package terminal

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// plainEvery is the time between two progress lines where no bar can be drawn.
const plainEvery = 5 * time.Second

// ProgressOptions select what a Progress shows.
type ProgressOptions struct {
	Label string
	// Total is -1 if it is unknown.
	Total int64
	// Bytes means that bytes are counted, not accounts. Quiet shows nothing.
	Bytes, Quiet bool
}

// Progress shows how far a job is: as a bar on a terminal, else as a line every
// plainEvery. Only one goroutine may use it.
type Progress struct {
	out   io.Writer
	label string
	quiet bool
	total int64
	// bar is nil if none is drawn.
	bar         *progressbar.ProgressBar
	began, last time.Time
}

// NewProgress returns a Progress that writes to out, as a bar if that is a terminal.
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

// To shows a new position and a note after it.
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

// leftText returns an estimate of the remaining time, as a bar shows it.
func leftText(took time.Duration, position, total int64) string {
	if position <= 0 || position >= total {
		return ""
	}
	left := time.Duration(float64(took) / float64(position) * float64(total-position))
	return fmt.Sprintf(", about %v left", left.Round(time.Second))
}

// Line prints a line. It takes a bar away first, so that the two do not mix.
func (p *Progress) Line(format string, args ...any) {
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintf(p.out, format+"\n", args...)
}

// End removes the bar.
func (p *Progress) End() {
	if p.bar != nil {
		p.bar.Finish()
	}
}
