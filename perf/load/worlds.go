package load

import (
	"context"
	"fmt"
	"time"

	"gatepass/perf/load/internal/counts"
)

// WorldsOptions configures a run in which a world goes online and offline while held
// connections receive its changes.
type WorldsOptions struct {
	// Hold configures the connections. Its Warmup, Settle and Hold are not used.
	Hold HoldOptions
	// World is the world's name, which must not be part of another world's name.
	World string
	// Set sets the world online or offline. It may return before clients are told.
	Set func(ctx context.Context, online bool) error
	// Changes is the number of changes. The first sets the world online. 0 means 10.
	Changes int
	// Pause is the time between two changes. 0 means 500 ms.
	Pause time.Duration
	// Limit is the longest time until the last client has received a change. 0 means
	// 10 s.
	Limit time.Duration
}

// EnsureDefaults replaces zero values by their defaults.
func (o *WorldsOptions) EnsureDefaults() {
	o.Hold.EnsureDefaults()
	setDefault(&o.Changes, 10)
	setDefault(&o.Pause, 500*time.Millisecond)
	setDefault(&o.Limit, 10*time.Second)
}

const maxChanges = 1000

// Validate returns an error that names every fault.
func (o *WorldsOptions) Validate() error {
	var f optionErrors
	o.Hold.collect(&f)
	f.check(o.World != "", "the world has no name")
	f.check(o.Set != nil, "nobody brings the world")
	f.check(o.Changes >= 1 && o.Changes <= maxChanges, "changes %d: want 1 to %d", o.Changes, maxChanges)
	f.check(o.Pause > 0 && o.Limit > 0, "a pause or limit that is not above 0")
	return f.err()
}

// WorldsRun is the result of a run of a world's changes.
type WorldsRun struct {
	// Wanted is the number of connections, Held how many of them were held before the first
	// change.
	Wanted, Held int
	Changes      []WorldChange
	// Interrupted says that the run was ended early.
	Interrupted bool

	counts *counts.Logins
}

// WorldChange is one change. Its times count from just before Set was called.
type WorldChange struct {
	Online bool
	// Shown is how many connections received the change within the limit.
	Shown                 int
	First, P50, P99, Last time.Duration
	ServerCPU             time.Duration
	number                uint32
}

// WorldsReport is the result of a run of a world's changes.
type WorldsReport struct {
	Wanted  int            `json:"wanted"`
	Held    int            `json:"held"`
	Changes []ChangeReport `json:"changes"`
	// Worst is the largest Last of all changes.
	Worst  float64           `json:"worst_last_us"`
	Missed int               `json:"missed"`
	Faults map[string]uint64 `json:"faults"`
}

// ChangeReport is one change, with times in microseconds.
type ChangeReport struct {
	Online    bool    `json:"online"`
	Shown     int     `json:"shown"`
	First     float64 `json:"first_us"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Last      float64 `json:"last_us"`
	ServerCPU float64 `json:"server_cpu_us"`
}

// Report returns the report of a run with these options.
func (r *WorldsRun) Report(o *WorldsOptions) *Report {
	w := &WorldsReport{Wanted: r.Wanted, Held: r.Held, Faults: r.counts.FaultCounts()}
	for _, c := range r.Changes {
		w.Changes = append(w.Changes, ChangeReport{
			Online: c.Online, Shown: c.Shown, First: micros(c.First), P50: micros(c.P50), P99: micros(c.P99),
			Last: micros(c.Last), ServerCPU: micros(c.ServerCPU),
		})
		w.Worst = max(w.Worst, micros(c.Last))
		w.Missed += r.Held - c.Shown
	}
	return &Report{
		Scenario: "worlds", Protocol: o.Hold.Native.Protocol(), Build: uint16(o.Hold.Build), Load: fmt.Sprintf("%d connections", r.Wanted),
		Worlds: w, Interrupted: r.Interrupted,
	}
}
