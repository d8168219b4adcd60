package load

import (
	"fmt"
	"slices"
	"time"
)

// PatchReport is what patches were measured for; the parts that were not are nil. Rates
// are in bytes of the file, without what frames add.
type PatchReport struct {
	FileBytes  uint64            `json:"file_bytes"`
	Throughput *ThroughputReport `json:"throughput,omitempty"`
	Stalled    *StalledReport    `json:"hold,omitempty"`
	Beside     *BesideReport     `json:"latency,omitempty"`
}

// ThroughputReport is a run of ThroughputOptions.
type ThroughputReport struct {
	Clients  int `json:"clients"`
	Checkers int `json:"checking_clients"`
	// Servers are the floor, where there is one, and the server.
	Servers []SendReport `json:"servers"`
	// OfFloor is the server's bytes per CPU second over the floor's, of the same run; 0
	// without a floor.
	OfFloor float64 `json:"bytes_per_cpu_second_of_floor,omitempty"`
}

// SendReport is what one server has sent.
type SendReport struct {
	Name      string  `json:"name"`
	Seconds   float64 `json:"seconds"`
	Bytes     uint64  `json:"bytes"`
	PerSecond float64 `json:"bytes_per_second"`
	// PerCore is by the CPU time of the server; PerClientCore by that of the clients, so
	// that it can be seen who was the bottleneck. Cores is how many the server kept busy.
	PerCore       float64           `json:"bytes_per_server_cpu_second"`
	PerClientCore float64           `json:"bytes_per_client_cpu_second"`
	Cores         float64           `json:"server_cores_busy"`
	Checked       uint64            `json:"bytes_compared"`
	Files         uint64            `json:"files_to_their_end"`
	RSS           int64             `json:"server_rss_bytes"`
	Faults        map[string]uint64 `json:"faults"`
}

// StalledReport is a run of StalledOptions.
type StalledReport struct {
	Wanted  int   `json:"wanted"`
	Offered int   `json:"offered"`
	Held    int   `json:"held"`
	Before  int64 `json:"rss_offered_bytes"`
	After   int64 `json:"rss_held_bytes"`
	End     int64 `json:"rss_end_bytes"`
	// PerTransfer is After less Before, and PerTransferEnd End less Before, by those held.
	PerTransfer    float64 `json:"rss_bytes_per_transfer"`
	PerTransferEnd float64 `json:"rss_end_bytes_per_transfer"`
	// Kernel is what sockets hold by transfer beyond the offer, the clients' included. It is
	// read for the whole machine: 0 says that it is not known, since others' were closed
	// meanwhile.
	Kernel      float64           `json:"socket_bytes_per_transfer,omitempty"`
	HeldSeconds float64           `json:"held_seconds"`
	Dropped     uint64            `json:"dropped"`
	IdleCPU     float64           `json:"server_cpu_us_per_second_holding"`
	Faults      map[string]uint64 `json:"faults"`
}

// BesideReport is a run of BesideOptions.
type BesideReport struct {
	Clients int `json:"clients"`
	// Limit is what the server may send in bytes a second, Sent what it did.
	Limit float64    `json:"limit_bytes_per_second"`
	Sent  SendReport `json:"sent"`
	// Off and On are the logins without and with updates beside.
	Off *ServerReport `json:"off,omitempty"`
	On  *ServerReport `json:"on,omitempty"`
	// Rounds are the times of whole logins, each kind by turns.
	Rounds []BesideRoundReport `json:"rounds"`
	// The ratios are of whole logins with updates beside over those without.
	P50Ratio  float64 `json:"p50_ratio"`
	P99Ratio  float64 `json:"p99_ratio"`
	P999Ratio float64 `json:"p999_ratio"`
	// Median is the rounds' middle, each value for itself: a neighbour that takes the
	// machine for a moment is in the sums above, and not in it. MedianP99Ratio is of these.
	Median         *BesideRoundReport `json:"median_round,omitempty"`
	MedianP99Ratio float64            `json:"median_p99_ratio"`
}

// BesideRoundReport is one turn of each kind.
type BesideRoundReport struct {
	Off Times `json:"off"`
	On  Times `json:"on"`
}

// NewPatchReport makes an empty report of clients of these kinds and this file. What is
// measured goes into its Patch.
func NewPatchReport(c *Clients, f *PatchFile) *Report {
	return &Report{
		Scenario: "patch", Protocol: c.Native.protocol(), Build: uint16(c.Build),
		Load: fmt.Sprintf("a file of %d MiB", f.Size>>20), Patch: &PatchReport{FileBytes: f.Size},
	}
}

func (r *SendRun) report(name string) SendReport {
	return SendReport{
		Name: name, Seconds: r.Elapsed.Seconds(), Bytes: r.Bytes, PerSecond: perSecond(r.Bytes, r.Elapsed),
		PerCore: r.perCore(), PerClientCore: perSecond(r.Bytes, r.ClientCPU), Cores: share(r.ServerCPU, r.Elapsed),
		Checked: r.Checked, Files: r.Files, RSS: r.RSS, Faults: r.mishaps.counts(),
	}
}

// share is how much of a time another one is.
func share(part, whole time.Duration) float64 { return ratio(part.Seconds(), whole.Seconds()) }

// Report makes the report of a run with these options.
func (r *ThroughputRun) Report(o *ThroughputOptions) *ThroughputReport {
	t := &ThroughputReport{Clients: o.Takers, Checkers: o.Checkers}
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

// Report makes the report of a run.
func (r *StalledRun) Report() *StalledReport {
	s := &StalledReport{
		Wanted: r.Wanted, Offered: r.Offered, Held: r.Held, Before: r.Before, After: r.After, End: r.End,
		HeldSeconds: r.Stayed.Seconds(), Dropped: r.Dropped, Faults: r.mishaps.counts(),
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

// Report makes the report of a run with these options.
func (r *BesideRun) Report(o *BesideOptions) *BesideReport {
	b := &BesideReport{Clients: o.Takers, Limit: o.Limit, Sent: r.Sent.report("updates")}
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

// medianOf is the middle of the rounds' times, the lower one of two.
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

// maybeReport is nil for a run that was not.
func (r *LoginRun) maybeReport(name string) *ServerReport {
	if r == nil {
		return nil
	}
	s := r.Report(name)
	return &s
}

// whole is the times of whole logins of a run.
func (r *LoginRun) whole() Times { return timesOf(r.tally.times[PlanRight][PartWhole]) }
