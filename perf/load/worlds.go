package load

import (
	"context"
	"fmt"
	"time"
)

// WorldsOptions is one run of a world that comes and goes before the eyes of
// connections that stand at the list of worlds.
type WorldsOptions struct {
	// Hold is the connections; its Warmup, Settle and Hold do nothing.
	Hold HoldOptions
	// World is the name of the world, which no other has in its own.
	World string
	// Set brings the world online, or takes it away. It may return before anybody
	// was told.
	Set func(ctx context.Context, online bool) error
	// Changes are how many there are, the first of which brings it. 0 means 10.
	Changes int
	// Pause is between two of them. 0 means 500 ms.
	Pause time.Duration
	// Limit is the longest a change may take until the last has heard. 0 means
	// 10 s.
	Limit time.Duration
}

// EnsureDefaults fills in what is zero.
func (o *WorldsOptions) EnsureDefaults() {
	o.Hold.EnsureDefaults()
	setDefault(&o.Changes, 10)
	setDefault(&o.Pause, 500*time.Millisecond)
	setDefault(&o.Limit, 10*time.Second)
}

const maxChanges = 1000

// Validate reports every fault at once.
func (o *WorldsOptions) Validate() error {
	var f faults
	o.Hold.collect(&f)
	f.check(o.World != "", "the world has no name")
	f.check(o.Set != nil, "nobody brings the world")
	f.check(o.Changes >= 1 && o.Changes <= maxChanges, "changes %d: want 1 to %d", o.Changes, maxChanges)
	f.check(o.Pause > 0 && o.Limit > 0, "a pause or limit that is not above 0")
	return f.err()
}

// WorldsRun is what the changes of one world's state measured.
type WorldsRun struct {
	// Wanted connections, of which Held stood at the list before the first change.
	Wanted, Held int
	Changes      []WorldChange
	// Interrupted says that the run was ended early.
	Interrupted bool

	tally *tally
}

// WorldChange is one of them. Times count from just before the world said it.
type WorldChange struct {
	Online bool
	// Shown is how many connections had the new list within the limit.
	Shown                 int
	First, P50, P99, Last time.Duration
	ServerCPU             time.Duration
	number                uint32
}

// WorldsReport is a run of WorldsOptions.
type WorldsReport struct {
	Wanted  int            `json:"wanted"`
	Held    int            `json:"held"`
	Changes []ChangeReport `json:"changes"`
	// Worst is the greatest Last of all changes.
	Worst  float64           `json:"worst_last_us"`
	Missed int               `json:"missed"`
	Faults map[string]uint64 `json:"faults"`
}

// ChangeReport is one change, in microseconds.
type ChangeReport struct {
	Online    bool    `json:"online"`
	Shown     int     `json:"shown"`
	First     float64 `json:"first_us"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Last      float64 `json:"last_us"`
	ServerCPU float64 `json:"server_cpu_us"`
}

// Report makes the report of a run with these options.
func (r *WorldsRun) Report(o *WorldsOptions) *Report {
	w := &WorldsReport{Wanted: r.Wanted, Held: r.Held, Faults: r.tally.faultCounts()}
	for _, c := range r.Changes {
		w.Changes = append(w.Changes, ChangeReport{
			Online: c.Online, Shown: c.Shown, First: micros(c.First), P50: micros(c.P50), P99: micros(c.P99),
			Last: micros(c.Last), ServerCPU: micros(c.ServerCPU),
		})
		w.Worst = max(w.Worst, micros(c.Last))
		w.Missed += r.Held - c.Shown
	}
	return &Report{
		Scenario: "worlds", Protocol: o.Hold.Native.protocol(), Build: uint16(o.Hold.Build), Load: fmt.Sprintf("%d connections", r.Wanted),
		Worlds: w, Interrupted: r.Interrupted,
	}
}
