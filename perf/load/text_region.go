package load

import (
	"fmt"
	"io"

	"gatepass/perf/load/internal/counts"
)

func (w *WorldsReport) write(t io.Writer) {
	fmt.Fprintf(t, "\n%d of %d stand at the list\tshown\tfirst ms\tp50 ms\tp99 ms\tlast ms\tserver CPU ms\t\n", w.Held, w.Wanted)
	for _, c := range w.Changes {
		what := "offline"
		if c.Online {
			what = "online"
		}
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", what, c.Shown,
			c.First/1000, c.P50/1000, c.P99/1000, c.Last/1000, c.ServerCPU/1000)
	}
	fmt.Fprintf(t, "\nthe slowest change reached the last after %.1f ms\n", w.Worst/1000)
	if w.Missed > 0 {
		fmt.Fprintf(t, "%d times a connection was not shown a change: is the server told to push its list?\n", w.Missed)
	}
	writeFaults(t, "logins", w.Faults)
}

func (p *PassReport) write(t io.Writer) {
	fmt.Fprintln(t, "\nmoves\tmoves/s\tmoves\tfailed\tserver CPU µs/move\tgate CPU µs/move\tclient CPU µs/move\t")
	for i := range p.Legs {
		l := &p.Legs[i]
		fmt.Fprintf(t, "%s\t%.0f\t%d\t%d\t%.1f\t%.1f\t%.1f\t\n", l.Leg, l.PerSecond, l.Moves, total(l.Faults),
			l.ServerCPU, l.GateCPU, l.ClientCPU)
	}
	for i := range p.Legs {
		l := &p.Legs[i]
		fmt.Fprintf(t, "\n%s µs\tp50\tp99\tp99.9\tmax\t\n", l.Leg)
		for part := range counts.MovePartCount {
			if times, ok := l.Parts[part.String()]; ok {
				fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t\n", part, times.P50, times.P99, times.P999, times.Max)
			}
		}
		writeFaults(t, l.Leg, l.Faults)
	}
	writeFaults(t, "logins", p.LoginFaults)
}
