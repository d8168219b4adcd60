package load

import (
	"fmt"
	"slices"
	"time"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/patch"
)

// PatchReport is the result of the scenarios with patches. Scenarios that did not run are
// nil. Rates count bytes of the file, without the frames' heads.
type PatchReport struct {
	FileBytes  uint64            `json:"file_bytes"`
	Throughput *ThroughputReport `json:"throughput,omitempty"`
	Stalled    *StalledReport    `json:"hold,omitempty"`
	Beside     *BesideReport     `json:"latency,omitempty"`
}

// ThroughputReport is the result of a run of ThroughputOptions.
type ThroughputReport struct {
	Clients  int `json:"clients"`
	Checkers int `json:"checking_clients"`
	// Servers are the floor, if there is one, and the server.
	Servers []SendReport `json:"servers"`
	// OfFloor is the server's bytes per CPU second divided by the floor's, both of the same
	// run; 0 without a floor.
	OfFloor float64 `json:"bytes_per_cpu_second_of_floor,omitempty"`
}

// SendReport is what one server sent.
type SendReport struct {
	Name      string  `json:"name"`
	Seconds   float64 `json:"seconds"`
	Bytes     uint64  `json:"bytes"`
	PerSecond float64 `json:"bytes_per_second"`
	// PerCore is per CPU time of the server, PerClientCore per CPU time of the clients; they
	// show which was the bottleneck. Cores is how many cores the server kept busy.
	PerCore       float64           `json:"bytes_per_server_cpu_second"`
	PerClientCore float64           `json:"bytes_per_client_cpu_second"`
	Cores         float64           `json:"server_cores_busy"`
	Checked       uint64            `json:"bytes_compared"`
	Files         uint64            `json:"files_to_their_end"`
	RSS           int64             `json:"server_rss_bytes"`
	Faults        map[string]uint64 `json:"faults"`
}

// StalledReport is the result of a run of StalledOptions.
type StalledReport struct {
	Wanted  int   `json:"wanted"`
	Offered int   `json:"offered"`
	Held    int   `json:"held"`
	Before  int64 `json:"rss_offered_bytes"`
	After   int64 `json:"rss_held_bytes"`
	End     int64 `json:"rss_end_bytes"`
	// PerTransfer is After minus Before, and PerTransferEnd is End minus Before, each divided
	// by Held.
	PerTransfer    float64 `json:"rss_bytes_per_transfer"`
	PerTransferEnd float64 `json:"rss_end_bytes_per_transfer"`
	// Kernel is the memory of sockets that a transfer adds to the offer, including the
	// clients' own. It is read for the whole machine: 0 means that it is not known, because
	// other sockets were closed meanwhile.
	Kernel      float64           `json:"socket_bytes_per_transfer,omitempty"`
	HeldSeconds float64           `json:"held_seconds"`
	Dropped     uint64            `json:"dropped"`
	IdleCPU     float64           `json:"server_cpu_us_per_second_holding"`
	Faults      map[string]uint64 `json:"faults"`
}

// BesideReport is the result of a run of BesideOptions.
type BesideReport struct {
	Clients int `json:"clients"`
	// Limit is how many bytes a second the server may send, Sent what it sent.
	Limit float64    `json:"limit_bytes_per_second"`
	Sent  SendReport `json:"sent"`
	// Off is the logins without updates, On those with updates at the same time.
	Off *ServerReport `json:"off,omitempty"`
	On  *ServerReport `json:"on,omitempty"`
	// Rounds are the times of whole logins by round.
	Rounds []BesideRoundReport `json:"rounds"`
	// The ratios are the times of whole logins with updates, divided by those without.
	P50Ratio  float64 `json:"p50_ratio"`
	P99Ratio  float64 `json:"p99_ratio"`
	P999Ratio float64 `json:"p999_ratio"`
	// Median is the median of the rounds, for each value separately. Other processes that
	// use the machine for a moment affect the sums above, but not the median.
	// MedianP99Ratio is the ratio of these medians.
	Median         *BesideRoundReport `json:"median_round,omitempty"`
	MedianP99Ratio float64            `json:"median_p99_ratio"`
}

// BesideRoundReport is the times of one turn of each kind.
type BesideRoundReport struct {
	Off Times `json:"off"`
	On  Times `json:"on"`
}

// NewPatchReport returns a report for these clients and this file. The caller adds the
// results to its Patch.
func NewPatchReport(c *Clients, f *patch.File) *Report {
	return &Report{
		Scenario: "patch", Protocol: c.Native.Protocol(), Build: uint16(c.Build),
		Load: fmt.Sprintf("a file of %d MiB", f.Size>>20), Patch: &PatchReport{FileBytes: f.Size},
	}
}

func (r *SendRun) report(name string) SendReport {
	return SendReport{
		Name: name, Seconds: r.Elapsed.Seconds(), Bytes: r.Bytes, PerSecond: perSecond(r.Bytes, r.Elapsed),
		PerCore: r.perCore(), PerClientCore: perSecond(r.Bytes, r.ClientCPU), Cores: share(r.ServerCPU, r.Elapsed),
		Checked: r.Checked, Files: r.Files, RSS: r.RSS, Faults: r.errors.Counts(),
	}
}

// share returns part as a share of whole.
func share(part, whole time.Duration) float64 { return ratio(part.Seconds(), whole.Seconds()) }

// Report returns the report of a run with these options.
func (r *ThroughputRun) Report(o *ThroughputOptions) *ThroughputReport {
	t := &ThroughputReport{Clients: o.Downloaders, Checkers: o.Checkers}
	if r.Floor != nil {
		t.Servers = append(t.Servers, r.Floor.report("floor"))
	}
	if r.Server != nil {
		t.Servers = append(t.Servers, r.Server.report("server"))
	}
	if r.Floor != nil && r.Server != nil {
		t.OfFloor = ratio(r.Server.perCore(), r.Floor.perCore())
	}
	return t
}

// Report returns the report of a run.
func (r *StalledRun) Report() *StalledReport {
	s := &StalledReport{
		Wanted: r.Wanted, Offered: r.Offered, Held: r.Held, Before: r.Before, After: r.After, End: r.End,
		HeldSeconds: r.Stayed.Seconds(), Dropped: r.Dropped, Faults: r.errors.Counts(),
	}
	if r.Held > 0 {
		s.PerTransfer = float64(r.After-r.Before) / float64(r.Held)
		s.PerTransferEnd = float64(r.End-r.Before) / float64(r.Held)
		s.Kernel = float64(max(r.KernelAfter-r.KernelBefore, 0)) / float64(r.Held)
	}
	if r.Stayed > 0 {
		s.IdleCPU = micros(r.Idle) / r.Stayed.Seconds()
	}
	return s
}

// Report returns the report of a run with these options.
func (r *BesideRun) Report(o *BesideOptions) *BesideReport {
	b := &BesideReport{Clients: o.Downloaders, Limit: o.Limit, Sent: r.Sent.report("updates")}
	for _, round := range r.Rounds {
		b.Rounds = append(b.Rounds, BesideRoundReport(round))
	}
	if len(b.Rounds) > 0 {
		b.Median = &BesideRoundReport{
			Off: medianOf(b.Rounds, func(r *BesideRoundReport) *Times { return &r.Off }),
			On:  medianOf(b.Rounds, func(r *BesideRoundReport) *Times { return &r.On }),
		}
		b.MedianP99Ratio = ratio(b.Median.On.P99, b.Median.Off.P99)
	}
	b.Off, b.On = r.Off.maybeReport("no updates"), r.On.maybeReport("updates beside")
	if r.Off != nil && r.On != nil {
		off, on := r.Off.whole(), r.On.whole()
		b.P50Ratio, b.P99Ratio, b.P999Ratio = ratio(on.P50, off.P50), ratio(on.P99, off.P99), ratio(on.P999, off.P999)
	}
	return b
}

// medianOf returns the median of the rounds' times; of an even number, the lower one.
func medianOf(rounds []BesideRoundReport, of func(*BesideRoundReport) *Times) Times {
	middle := func(value func(*Times) float64) float64 {
		var values []float64
		for i := range rounds {
			values = append(values, value(of(&rounds[i])))
		}
		slices.Sort(values)
		return values[(len(values)-1)/2]
	}
	return Times{
		P50: middle(func(t *Times) float64 { return t.P50 }), P99: middle(func(t *Times) float64 { return t.P99 }),
		P999: middle(func(t *Times) float64 { return t.P999 }), Max: middle(func(t *Times) float64 { return t.Max }),
	}
}

// maybeReport returns the report of a run; nil if there was none.
func (r *LoginRun) maybeReport(name string) *ServerReport {
	if r == nil {
		return nil
	}
	s := r.Report(name)
	return &s
}

// whole returns the times of whole logins.
func (r *LoginRun) whole() Times { return timesOf(r.counts.Times[counts.PlanRight][counts.PartWhole]) }
