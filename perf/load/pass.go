package load

import (
	"fmt"
	"time"

	"gatepass/codec/world"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/players"
)

// PassOptions configures a run of clients that move: they log in, then move to a gate in
// an open loop, and then back if Back is set. Their session keys move with them.
type PassOptions struct {
	// Hold configures the clients, which log in first. Each of its Connections moves once.
	// Its Warmup, Settle, Hold and ListEvery are not used.
	Hold HoldOptions
	// Gate is where the clients move to. The CPU time of its processes is reported
	// separately.
	Gate Target
	// Rate is how many moves begin a second. 0 means 1000.
	Rate float64
	// Arrivals is the distribution of their starts. Empty means Poisson.
	Arrivals Arrivals
	// Back makes the clients move back to the login server afterwards.
	Back bool
	// Settle is the pause before each leg. 0 means 1 s.
	Settle time.Duration
	// Seed makes the starts repeatable.
	Seed uint64
}

// EnsureDefaults replaces zero values by their defaults.
func (o *PassOptions) EnsureDefaults() {
	o.Hold.EnsureDefaults()
	setDefault(&o.Rate, 1000)
	setDefault(&o.Arrivals, ArrivalsPoisson)
	setDefault(&o.Settle, time.Second)
}

// Validate returns an error that names every fault.
func (o *PassOptions) Validate() error {
	var f optionErrors
	o.Hold.collect(&f)
	_, err := world.NewClient(uint16(o.Hold.Build))
	f.check(err == nil, "build %d: no gate's layouts are known for it", o.Hold.Build)
	f.check(len(o.Hold.Accounts) >= o.Hold.Connections, "%d accounts for %d connections: want one for each",
		len(o.Hold.Accounts), o.Hold.Connections)
	f.check(o.Rate > 0 && o.Rate <= 1e6, "rate %v: want 1 to 1,000,000 a second", o.Rate)
	f.check(o.Arrivals == ArrivalsPoisson || o.Arrivals == ArrivalsEven,
		"arrivals %q: want %q or %q", o.Arrivals, ArrivalsPoisson, ArrivalsEven)
	f.check(o.Settle >= 0, "a negative pause")
	return f.err()
}

// PassRun is the result of a run of moves.
type PassRun struct {
	// Wanted is the number of clients, Held how many of them had logged in before the first
	// move.
	Wanted, Held int
	Legs         []LegRun
	// Interrupted says that the run was ended early.
	Interrupted bool

	counts *counts.Logins // of the logins
}

// LegRun is the moves in one direction.
type LegRun struct {
	Leg counts.Leg
	// Elapsed is the time from the first move to the end of the last.
	Elapsed time.Duration
	// ServerCPU, GateCPU and ClientCPU are the CPU time used meanwhile by the login server
	// (with the bus and the manager in its process), the gate and this process.
	ServerCPU, GateCPU, ClientCPU time.Duration

	counts *counts.Moves
}

// PassReport is the result of a run of moves.
type PassReport struct {
	Wanted int `json:"wanted"`
	Held   int `json:"held"`
	// LoginFaults are the failed logins.
	LoginFaults map[string]uint64 `json:"login_faults"`
	Legs        []LegReport       `json:"legs"`
}

// LegReport is the moves in one direction, with CPU times in microseconds per move.
type LegReport struct {
	Leg       string            `json:"leg"`
	Moves     uint64            `json:"moves"`
	Seconds   float64           `json:"seconds"`
	PerSecond float64           `json:"moves_per_second"`
	ServerCPU float64           `json:"server_cpu_us_per_move"`
	GateCPU   float64           `json:"gate_cpu_us_per_move"`
	ClientCPU float64           `json:"client_cpu_us_per_move"`
	Faults    map[string]uint64 `json:"faults"`
	Parts     map[string]Times  `json:"parts"`
}

// Report returns the report of a run with these options.
func (r *PassRun) Report(o *PassOptions) *Report {
	p := &PassReport{Wanted: r.Wanted, Held: r.Held, LoginFaults: r.counts.FaultCounts()}
	for i := range r.Legs {
		p.Legs = append(p.Legs, r.Legs[i].report())
	}
	return &Report{
		Scenario: "pass", Protocol: players.Grunt, Build: uint16(o.Hold.Build),
		Load: fmt.Sprintf("%d moves, %g a second (%s)", r.Wanted, o.Rate, o.Arrivals),
		Pass: p, Interrupted: r.Interrupted,
	}
}

func (r *LegRun) report() LegReport {
	l := LegReport{
		Leg: r.Leg.String(), Moves: r.counts.Done, Seconds: r.Elapsed.Seconds(), Faults: r.counts.FaultCounts(),
		ServerCPU: perLogin(r.ServerCPU, r.counts.Done), GateCPU: perLogin(r.GateCPU, r.counts.Done),
		ClientCPU: perLogin(r.ClientCPU, r.counts.Done), Parts: moveParts(r.counts),
	}
	if r.Elapsed > 0 {
		l.PerSecond = float64(r.counts.Done) / r.Elapsed.Seconds()
	}
	return l
}
