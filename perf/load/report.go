package load

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"gatepass/perf/load/internal/counts"
)

// Report is the result of a benchmark, which prints it as text or as JSON. Times are in
// microseconds and memory in bytes; JSON names include the unit.
type Report struct {
	Scenario string `json:"scenario"` // "login", "hold", "worlds", "pass" or "patch"
	// Protocol is "grunt", "native" or "native, by token".
	Protocol string `json:"protocol"`
	Build    uint16 `json:"build"`
	// Load describes the load in words: "32 at once", "1000 a second".
	Load string `json:"load"`
	// Servers are the measured servers. The floor is first, if there is one.
	Servers []ServerReport `json:"servers"`
	// TimesFloor is the server's CPU time per login divided by the floor's, both of the same
	// run; 0 without a floor. It is the only number that can be compared between machines.
	TimesFloor float64 `json:"cpu_times_floor,omitempty"`
	// Arithmetic is the CPU time of the arithmetic alone of one native login by password,
	// measured in the same run. TimesArithmetic is the server's CPU time per login divided
	// by it. 0 for other logins.
	Arithmetic      float64     `json:"bare_big_numbers_us_per_login,omitempty"`
	TimesArithmetic float64     `json:"cpu_times_bare,omitempty"`
	Hold            *HoldReport `json:"hold,omitempty"`
	// Worlds, Pass and Patch are set for the scenarios of these names.
	Worlds *WorldsReport `json:"worlds,omitempty"`
	Pass   *PassReport   `json:"pass,omitempty"`
	Patch  *PatchReport  `json:"patch,omitempty"`
	// Interrupted says that the run was ended early.
	Interrupted bool `json:"interrupted"`
}

// ServerReport is the result of the logins against one server.
type ServerReport struct {
	Name      string  `json:"name"`
	Seconds   float64 `json:"seconds"`
	Logins    uint64  `json:"logins"`
	PerSecond float64 `json:"logins_per_second"`
	// ServerCPU and ClientCPU are per login. ServerCPU is 0 if the target has no PIDs.
	ServerCPU float64 `json:"server_cpu_us_per_login"`
	ClientCPU float64 `json:"client_cpu_us_per_login"`
	RSS       int64   `json:"server_rss_bytes"`
	// Late is how many logins of an open loop were due and did not begin.
	Late   int               `json:"late_logins"`
	Faults map[string]uint64 `json:"faults"`
	Plans  []PlanReport      `json:"plans"`
}

// PlanReport is the times of the logins of one plan, by part.
type PlanReport struct {
	Plan   string           `json:"plan"`
	Logins uint64           `json:"logins"`
	Parts  map[string]Times `json:"parts"`
}

// Times is a distribution of times, in microseconds.
type Times struct {
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}

// HoldReport is the result of a run of held connections.
type HoldReport struct {
	Wanted        int               `json:"wanted"`
	Held          int               `json:"held"`
	RampSeconds   float64           `json:"ramp_seconds"`
	Before        int64             `json:"rss_before_bytes"`
	After         int64             `json:"rss_after_bytes"`
	End           int64             `json:"rss_end_bytes"`
	PerConnection float64           `json:"rss_bytes_per_connection"`
	HeldSeconds   float64           `json:"held_seconds"`
	Dropped       uint64            `json:"dropped"`
	Lists         uint64            `json:"lists"`
	IdleCPU       float64           `json:"server_cpu_us_per_second_holding"`
	Faults        map[string]uint64 `json:"faults"`
	Plans         []PlanReport      `json:"plans"`
}

// JSON writes the report as one indented object.
func (r *Report) JSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// Report returns the report of a run under the server's name.
func (r *LoginRun) Report(name string) ServerReport {
	s := ServerReport{
		Name: name, Seconds: r.Elapsed.Seconds(), Logins: r.Logins, RSS: r.RSS, Late: r.Late,
		ServerCPU: r.perLogin(), ClientCPU: perLogin(r.ClientCPU, r.Logins),
		Faults: r.counts.FaultCounts(), Plans: planReports(r.counts),
	}
	if r.Elapsed > 0 {
		s.PerSecond = float64(r.Logins) / r.Elapsed.Seconds()
	}
	return s
}

// Report returns the report of a run with these options.
func (r *HoldRun) Report(o *HoldOptions) *Report {
	return &Report{
		Scenario: "hold", Protocol: o.Native.Protocol(), Build: uint16(o.Build), Load: fmt.Sprintf("%d connections", r.Wanted),
		Hold: r.report(), Interrupted: r.Interrupted,
	}
}

func (r *HoldRun) report() *HoldReport {
	h := &HoldReport{
		Wanted: r.Wanted, Held: r.Held, RampSeconds: r.Ramp.Seconds(), Before: r.Before, After: r.After, End: r.End,
		PerConnection: r.PerConnection(), HeldSeconds: r.Stayed.Seconds(), Dropped: r.Dropped, Lists: r.Lists,
		Faults: r.counts.FaultCounts(), Plans: planReports(r.counts),
	}
	if r.Stayed > 0 {
		h.IdleCPU = micros(r.Idle) / r.Stayed.Seconds()
	}
	return h
}

// perLogin returns d per login in microseconds; 0 without logins.
func perLogin(d time.Duration, logins uint64) float64 {
	if logins == 0 {
		return 0
	}
	return micros(d) / float64(logins)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// planReports returns the times of the plans that occurred.
func planReports(t *counts.Logins) []PlanReport {
	var reports []PlanReport
	for plan, done := range t.Done {
		if done == 0 {
			continue
		}
		p := PlanReport{Plan: counts.Plan(plan).String(), Logins: done, Parts: map[string]Times{}}
		for part, h := range t.Times[plan] {
			if h.TotalCount() > 0 {
				p.Parts[counts.Part(part).String()] = timesOf(h)
			}
		}
		reports = append(reports, p)
	}
	return reports
}

// moveParts returns the times of moves by part.
func moveParts(t *counts.Moves) map[string]Times {
	parts := map[string]Times{}
	for part, h := range t.Times {
		if h.TotalCount() > 0 {
			parts[counts.MovePart(part).String()] = timesOf(h)
		}
	}
	return parts
}

func timesOf(h *hdr.Histogram) Times {
	at := func(q float64) float64 { return micros(time.Duration(h.ValueAtQuantile(q))) }
	return Times{P50: at(50), P99: at(99), P999: at(99.9), Max: micros(time.Duration(h.Max()))}
}
