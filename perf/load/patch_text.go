package load

import (
	"fmt"
	"io"

	"gatepass/perf/load/internal/counts"
)

func (p *PatchReport) write(t io.Writer) {
	if p.Throughput != nil {
		p.Throughput.write(t)
	}
	if p.Stalled != nil {
		p.Stalled.write(t)
	}
	if p.Beside != nil {
		p.Beside.write(t)
	}
}

// Rates are shown in decimal GB and MB, as is usual for networks. Memory and the server's
// limit are shown in MiB, because the limit is set in MiB.
const (
	giga = 1e9
	mega = 1e6
	mebi = 1 << 20
)

func (r *ThroughputReport) write(t io.Writer) {
	fmt.Fprintf(t, "\nthroughput, %d clients\tGB/s\tGB/s of one core\tcores busy\tclient GB/s of one core\tcompared MB\twhole files\tfailed\tRSS MiB\t\n", r.Clients)
	for i := range r.Servers {
		s := &r.Servers[i]
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%d\t%d\t%.1f\t\n", s.Name, s.PerSecond/giga, s.PerCore/giga, s.Cores,
			s.PerClientCore/giga, float64(s.Checked)/mega, s.Files, total(s.Faults), float64(s.RSS)/mebi)
	}
	if r.OfFloor > 0 {
		fmt.Fprintf(t, "\none core sends %.2f times what it does in the floor of the same run\n", r.OfFloor)
	}
	for i := range r.Servers {
		writeUpdateErrors(t, "throughput, "+r.Servers[i].Name, r.Servers[i].Faults)
	}
}

func (r *StalledReport) write(t io.Writer) {
	fmt.Fprintln(t, "\nhold\tRSS B/transfer\tafter the hold\tsockets B/transfer\toffered MiB\theld MiB\tat the end MiB\theld s\tdropped\tidle CPU µs/s\t")
	fmt.Fprintf(t, "%d of %d\t%.0f\t%.0f\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%.0f\t\n", r.Held, r.Wanted,
		r.PerTransfer, r.PerTransferEnd, known(r.Kernel), float64(r.Before)/mebi, float64(r.After)/mebi, float64(r.End)/mebi,
		r.HeldSeconds, r.Dropped, r.IdleCPU)
	writeUpdateErrors(t, "hold", r.Faults)
}

func (r *BesideReport) write(t io.Writer) {
	fmt.Fprintln(t, "\nwhole logins, µs\tlogins/s\tlogins\tfailed\tp50\tp99\tp99.9\tmax\tserver CPU µs/login\t")
	for _, s := range []*ServerReport{r.Off, r.On} {
		if s == nil || len(s.Plans) == 0 {
			continue
		}
		w := s.Plans[0].Parts[counts.PartWhole.String()]
		fmt.Fprintf(t, "%s\t%.0f\t%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t\n", s.Name, s.PerSecond, s.Logins, total(s.Faults),
			w.P50, w.P99, w.P999, w.Max, known(s.ServerCPU))
	}
	fmt.Fprintf(t, "ratio\t\t\t\t%.2f\t%.2f\t%.2f\t\t\t\n", r.P50Ratio, r.P99Ratio, r.P999Ratio)
	fmt.Fprintln(t, "\nround\tp99 without\twith\tp99.9 without\twith\t")
	for i := range r.Rounds {
		r.Rounds[i].write(t, fmt.Sprint(i+1))
	}
	if r.Median != nil {
		r.Median.write(t, "median")
		fmt.Fprintf(t, "\np99 of the median round: %.2f times what it is without updates\n", r.MedianP99Ratio)
	}
	r.writeBeside(t)
}

func (r *BesideRoundReport) write(t io.Writer, name string) {
	fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t\n", name, r.Off.P99, r.On.P99, r.Off.P999, r.On.P999)
}

// writeBeside writes what the updating clients were sent, which shows whether the limit
// was reached.
func (r *BesideReport) writeBeside(t io.Writer) {
	fmt.Fprintf(t, "\nbeside them %d clients were sent %.1f MiB/s", r.Clients, r.Sent.PerSecond/mebi)
	if r.Limit > 0 {
		fmt.Fprintf(t, " of %.1f MiB/s that the server may send", r.Limit/mebi)
	}
	fmt.Fprintln(t)
	for _, s := range []*ServerReport{r.Off, r.On} {
		if s != nil {
			writeFaults(t, s.Name, s.Faults)
		}
	}
	writeUpdateErrors(t, "updates", r.Sent.Faults)
}

// writeUpdateErrors writes a table of failed updates.
func writeUpdateErrors(t io.Writer, name string, errors map[string]uint64) {
	writeCounts(t, name+", failed\tupdates", errors)
}
