package load

import (
	"fmt"
	"time"

	"gatepass/codec/world"
)

// PassOptions is one run of session keys that move: clients who have logged in go
// to a gate, at a rate that depends on nothing, and back if wanted.
type PassOptions struct {
	// Hold is the clients who log in first; its Warmup, Settle, Hold and ListEvery
	// do nothing. Each of its Connections moves once.
	Hold HoldOptions
	// Gate is where they go. Its processes' CPU time is reported apart.
	Gate Target
	// Rate is how many begin to move a second. 0 means 1000.
	Rate float64
	// Arrivals is the law of their times. Empty means Poisson.
	Arrivals Arrivals
	// Back lets them come back to the login server afterwards.
	Back bool
	// Settle is the pause before each leg. 0 means 1 s.
	Settle time.Duration
	// Seed makes their times repeatable.
	Seed uint64
}

// EnsureDefaults fills in what is zero.
func (o *PassOptions) EnsureDefaults() {
	o.Hold.EnsureDefaults()
	setDefault(&o.Rate, 1000)
	setDefault(&o.Arrivals, ArrivalsPoisson)
	setDefault(&o.Settle, time.Second)
}

// Validate reports every fault at once.
func (o *PassOptions) Validate() error {
	var f faults
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

// PassRun is what moves measured.
type PassRun struct {
	// Wanted clients, of whom Held had logged in before the first moved.
	Wanted, Held int
	Legs         []LegRun
	// Interrupted says that the run was ended early.
	Interrupted bool

	tally *tally // of the logins
}

// LegRun is the moves of one way.
type LegRun struct {
	Leg Leg
	// Elapsed is from the first move to the end of the last.
	Elapsed time.Duration
	// ServerCPU, GateCPU and ClientCPU are the time used in it: the login server's
	// process, bus and manager in it, the gate's and this one's.
	ServerCPU, GateCPU, ClientCPU time.Duration

	tally *moveTally
}

// PassReport is a run of PassOptions.
type PassReport struct {
	Wanted int `json:"wanted"`
	Held   int `json:"held"`
	// LoginFaults are of those who did not get as far as moving.
	LoginFaults map[string]uint64 `json:"login_faults"`
	Legs        []LegReport       `json:"legs"`
}

// LegReport is the moves of one way, CPU times in microseconds a move.
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

// Report makes the report of a run with these options.
func (r *PassRun) Report(o *PassOptions) *Report {
	p := &PassReport{Wanted: r.Wanted, Held: r.Held, LoginFaults: r.tally.faultCounts()}
	for i := range r.Legs {
		p.Legs = append(p.Legs, r.Legs[i].report())
	}
	return &Report{
		Scenario: "pass", Protocol: protocolGrunt, Build: uint16(o.Hold.Build),
		Load: fmt.Sprintf("%d moves, %g a second (%s)", r.Wanted, o.Rate, o.Arrivals),
		Pass: p, Interrupted: r.Interrupted,
	}
}

func (r *LegRun) report() LegReport {
	l := LegReport{
		Leg: r.Leg.String(), Moves: r.tally.done, Seconds: r.Elapsed.Seconds(), Faults: r.tally.faultCounts(),
		ServerCPU: perLogin(r.ServerCPU, r.tally.done), GateCPU: perLogin(r.GateCPU, r.tally.done),
		ClientCPU: perLogin(r.ClientCPU, r.tally.done), Parts: r.tally.parts(),
	}
	if r.Elapsed > 0 {
		l.PerSecond = float64(r.tally.done) / r.Elapsed.Seconds()
	}
	return l
}
