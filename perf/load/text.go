package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/players"
)

// Text writes the report as tables.
func (r *Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s, %sbuild %d, %s\n", r.Scenario, r.speech(), r.Build, r.Load)
	if r.Interrupted {
		fmt.Fprintln(w, "(ended early: this is what was measured until then)")
	}
	if len(r.Servers) > 0 {
		r.writeServers(t)
	}
	if r.Hold != nil {
		r.Hold.write(t)
	}
	if r.Worlds != nil {
		r.Worlds.write(t)
	}
	if r.Pass != nil {
		r.Pass.write(t)
	}
	if r.Patch != nil {
		r.Patch.write(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.TimesFloor > 0 {
		fmt.Fprintf(w, "\nCPU per login: %.2f times the floor of the same run\n", r.TimesFloor)
	}
	if r.Arithmetic > 0 {
		fmt.Fprintf(w, "\nCPU per login: %.2f times its big numbers alone, %.0f µs in the same run\n", r.TimesArithmetic, r.Arithmetic)
	}
	r.writeHints(w)
	return nil
}

// speech returns the protocol's name for the first line; nothing for grunt.
func (r *Report) speech() string {
	if r.Protocol == players.Grunt {
		return ""
	}
	return r.Protocol + ", "
}

func (r *Report) writeServers(t io.Writer) {
	fmt.Fprintln(t, "\nserver\tlogins/s\tlogins\tfailed\tserver CPU µs/login\tclient CPU µs/login\tRSS MiB\t")
	for i := range r.Servers {
		s := &r.Servers[i]
		fmt.Fprintf(t, "%s\t%.0f\t%d\t%d\t%s\t%.1f\t%s\t\n", s.Name, s.PerSecond, s.Logins, total(s.Faults),
			known(s.ServerCPU), s.ClientCPU, known(float64(s.RSS)/(1<<20)))
	}
	for i := range r.Servers {
		s := &r.Servers[i]
		writePlans(t, s.Name, s.Plans)
		writeFaults(t, s.Name, s.Faults)
		if s.Late > 0 {
			fmt.Fprintf(t, "\n%s: %d logins were due and never began: the rate is more than server or client can do\n", s.Name, s.Late)
		}
	}
}

// writePlans writes a table of times for each plan, with the parts in the order of a login.
func writePlans(t io.Writer, name string, plans []PlanReport) {
	for _, p := range plans {
		fmt.Fprintf(t, "\n%s, %s µs\tp50\tp99\tp99.9\tmax\t\n", name, p.Plan)
		for part := range counts.PartCount {
			if times, ok := p.Parts[part.String()]; ok {
				fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t\n", part, times.P50, times.P99, times.P999, times.Max)
			}
		}
	}
}

// writeFaults writes a table of failed logins.
func writeFaults(t io.Writer, name string, faults map[string]uint64) {
	writeCounts(t, name+", failed\tlogins", faults)
}

// writeCounts writes a table of counts; nothing if there are none.
func writeCounts(t io.Writer, head string, counts map[string]uint64) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(t, "\n%s\t\n", head)
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(t, "%s\t%d\t\n", what, counts[what])
	}
}

func (h *HoldReport) write(t io.Writer) {
	fmt.Fprintln(t, "\nheld\tRSS B/connection\tbefore MiB\twith all MiB\tat the end MiB\tramp s\theld s\tdropped\tlists\tidle CPU µs/s\t")
	fmt.Fprintf(t, "%d of %d\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\t%.0f\t\n", h.Held, h.Wanted, h.PerConnection,
		float64(h.Before)/(1<<20), float64(h.After)/(1<<20), float64(h.End)/(1<<20),
		h.RampSeconds, h.HeldSeconds, h.Dropped, h.Lists, h.IdleCPU)
	writePlans(t, "hold", h.Plans)
	writeFaults(t, "hold", h.Faults)
}

// known formats a value; "-" if it was not measured.
func known(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", v)
}

func total(counts map[string]uint64) uint64 {
	var n uint64
	for _, c := range counts {
		n += c
	}
	return n
}

// hints say what to do about faults whose cause is this machine or the options.
var hints = [counts.FaultCount]string{
	counts.FaultPorts: "no local port was free: use more --sources, or widen the range with\n" +
		"  sysctl -w net.ipv4.ip_local_port_range='10240 65535'",
	counts.FaultFiles:   "this process ran out of descriptors: raise 'ulimit -n'",
	counts.FaultGarbage: "answers were not understood: is it a server of this protocol, and the --build right?",
	counts.FaultRefused: "right passwords were refused: are these accounts on that server?",
}

func (r *Report) writeHints(w io.Writer) {
	if r.Hold != nil && r.Hold.Dropped > 0 {
		fmt.Fprintln(w, "\nthe server closed connections that it had let in: "+
			"an account of its own for each, and room for as many?")
	}
	for f, hint := range hints {
		if hint != "" && r.has(counts.Fault(f)) {
			fmt.Fprintln(w, "\n"+hint)
		}
	}
}

// has reports whether a fault occurred in any login.
func (r *Report) has(f counts.Fault) bool {
	if r.Hold != nil && r.Hold.Faults[f.String()] > 0 || r.Worlds != nil && r.Worlds.Faults[f.String()] > 0 ||
		r.Pass != nil && r.Pass.LoginFaults[f.String()] > 0 {
		return true
	}
	return slices.ContainsFunc(r.Servers, func(s ServerReport) bool { return s.Faults[f.String()] > 0 })
}
