package load

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what a bench prints, as text or as JSON. Times are in microseconds,
// memory in bytes, and every field says its unit in its JSON name.
type Report struct {
	Scenario string `json:"scenario"` // "login", "hold", "worlds", "pass" or "patch"
	// Protocol is "grunt", "native" or "native, by token".
	Protocol string `json:"protocol"`
	Build    uint16 `json:"build"`
	// Load says in words what was done: "32 at once", "1000 a second".
	Load string `json:"load"`
	// Servers are those measured, the floor first where there is one.
	Servers []ServerReport `json:"servers"`
	// TimesFloor is the server's CPU per login over the floor's, of the same
	// run; 0 without a floor. The only number that survives a change of machine.
	TimesFloor float64 `json:"cpu_times_floor,omitempty"`
	// Bare is the CPU time of the big numbers of one login by password, with nothing
	// around them, in the same run; TimesBare the server's CPU per login over it. 0 where
	// there are none.
	Bare      float64     `json:"bare_big_numbers_us_per_login,omitempty"`
	TimesBare float64     `json:"cpu_times_bare,omitempty"`
	Hold      *HoldReport `json:"hold,omitempty"`
	// Worlds, Pass and Patch are of the scenarios of these names.
	Worlds *WorldsReport `json:"worlds,omitempty"`
	Pass   *PassReport   `json:"pass,omitempty"`
	Patch  *PatchReport  `json:"patch,omitempty"`
	// Interrupted says that the run was ended early.
	Interrupted bool `json:"interrupted"`
}

// ServerReport is the logins against one server.
type ServerReport struct {
	Name      string  `json:"name"`
	Seconds   float64 `json:"seconds"`
	Logins    uint64  `json:"logins"`
	PerSecond float64 `json:"logins_per_second"`
	// ServerCPU and ClientCPU are per login; ServerCPU is 0 when no process was
	// named.
	ServerCPU float64 `json:"server_cpu_us_per_login"`
	ClientCPU float64 `json:"client_cpu_us_per_login"`
	RSS       int64   `json:"server_rss_bytes"`
	// Late logins of an open loop were due and never began.
	Late   int               `json:"late_logins"`
	Faults map[string]uint64 `json:"faults"`
	Plans  []PlanReport      `json:"plans"`
}

// PlanReport is the times of the logins of one plan.
type PlanReport struct {
	Plan   string           `json:"plan"`
	Logins uint64           `json:"logins"`
	Parts  map[string]Times `json:"parts"`
}

// Times is a distribution, in microseconds.
type Times struct {
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Max  float64 `json:"max_us"`
}

// HoldReport is a run of held connections.
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

// Report makes the report of a run, under the server's name.
func (r *LoginRun) Report(name string) ServerReport {
	s := ServerReport{
		Name: name, Seconds: r.Elapsed.Seconds(), Logins: r.Logins, RSS: r.RSS, Late: r.Late,
		ServerCPU: r.perLogin(), ClientCPU: perLogin(r.ClientCPU, r.Logins),
		Faults: r.tally.faultCounts(), Plans: r.tally.plans(),
	}
	if r.Elapsed > 0 {
		s.PerSecond = float64(r.Logins) / r.Elapsed.Seconds()
	}
	return s
}

// Report makes the report of a run with these options.
func (r *HoldRun) Report(o *HoldOptions) *Report {
	return &Report{
		Scenario: "hold", Protocol: o.Native.protocol(), Build: uint16(o.Build), Load: fmt.Sprintf("%d connections", r.Wanted),
		Hold: r.report(), Interrupted: r.Interrupted,
	}
}

func (r *HoldRun) report() *HoldReport {
	h := &HoldReport{
		Wanted: r.Wanted, Held: r.Held, RampSeconds: r.Ramp.Seconds(), Before: r.Before, After: r.After, End: r.End,
		PerConnection: r.PerConnection(), HeldSeconds: r.Stayed.Seconds(), Dropped: r.Dropped, Lists: r.Lists,
		Faults: r.tally.faultCounts(), Plans: r.tally.plans(),
	}
	if r.Stayed > 0 {
		h.IdleCPU = micros(r.Idle) / r.Stayed.Seconds()
	}
	return h
}

func perLogin(d time.Duration, logins uint64) float64 {
	if logins == 0 {
		return 0
	}
	return micros(d) / float64(logins)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// faultCounts names the faults that occurred.
func (t *tally) faultCounts() map[string]uint64 {
	counts := map[string]uint64{}
	for f, n := range t.faults {
		if n > 0 {
			counts[Fault(f).String()] = n
		}
	}
	return counts
}

// plans reports the plans that were played.
func (t *tally) plans() []PlanReport {
	var reports []PlanReport
	for plan, done := range t.done {
		if done == 0 {
			continue
		}
		p := PlanReport{Plan: Plan(plan).String(), Logins: done, Parts: map[string]Times{}}
		for part, h := range t.times[plan] {
			if h.TotalCount() > 0 {
				p.Parts[Part(part).String()] = timesOf(h)
			}
		}
		reports = append(reports, p)
	}
	return reports
}

func timesOf(h *hdr.Histogram) Times {
	at := func(q float64) float64 { return micros(time.Duration(h.ValueAtQuantile(q))) }
	return Times{P50: at(50), P99: at(99), P999: at(99.9), Max: micros(time.Duration(h.Max()))}
}
