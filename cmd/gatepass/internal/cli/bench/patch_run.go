package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec/grunt"
	"gatepass/perf/load"
	"gatepass/perf/load/patch"
	"gatepass/perf/load/players"
	benchprogress "gatepass/perf/load/progress"
	"gatepass/perf/load/testbed"
)

// updateLoggers is how many accounts log in during updates. Each logs in again after a
// second, at the default rate.
const updateLoggers = 1000

// patchRun is one run of 'bench patch'.
type patchRun struct {
	*patchFlags
	progress *benchprogress.Display
	stand    *testbed.Testbed
	patched  testbed.PatchedOptions
	// old are the clients that are updated, fresh those that log in meanwhile.
	old, fresh load.Clients
	report     *load.Report
}

// run runs 'bench patch'.
func (b *patchFlags) run(c *cobra.Command) (err error) {
	p := &patchRun{patchFlags: b, progress: b.scenario.progress(c)}
	if err := p.prepare(); err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	if p.stand, err = testbed.New(binary); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stand.Close()) }()
	if err := p.measure(c.Context()); err != nil {
		return err
	}
	return b.print(c, p.report)
}

// prepare checks the flags and makes the accounts.
func (p *patchRun) prepare() error {
	for _, part := range p.parts {
		if !slices.Contains([]string{partThroughput, partHold, partLatency}, part) {
			return exit.Usage(fmt.Errorf("--part %q: want %s, %s or %s", part, partThroughput, partHold, partLatency))
		}
	}
	if p.build < 2 {
		return exit.Usage(fmt.Errorf("--build %d: want 2 or more, for there is one before it", p.build))
	}
	if p.fileMiB < 1 || p.fileMiB > 1<<20 {
		return exit.Usage(fmt.Errorf("--file-size %d: want 1 to %d MiB", p.fileMiB, 1<<20))
	}
	if err := p.checkNumbers(); err != nil {
		return exit.Usage(err)
	}
	takers := max(1, p.clients, p.transfers)
	accounts, err := p.ownPlayers(takers + updateLoggers)
	if err != nil {
		return err
	}
	if len(accounts) < takers+updateLoggers {
		return exit.Usage(fmt.Errorf("%d clients: want %d at most", takers, players.MaxAccounts-updateLoggers))
	}
	p.patched = testbed.PatchedOptions{Accounts: accounts, Build: grunt.Build(p.build)}
	p.old, p.fresh = p.players(accounts[:takers]), p.players(accounts[takers:])
	if err := p.speak(); err != nil {
		return err
	}
	p.patched.File = &patch.File{Size: p.fileMiB << 20} // the size of the file to make
	if err := p.validate(); err != nil {
		return exit.Usage(err)
	}
	return nil
}

// checkNumbers returns every number that is too small. A zero that the operator typed
// does not mean the default.
func (b *patchFlags) checkNumbers() error {
	var faults []error
	for _, n := range []struct {
		flag  string
		value int
	}{
		{"clients", b.clients}, {"checkers", b.checkers}, {"rounds", b.sendTimes}, {"transfers", b.transfers},
		{"login-rounds", b.logTimes}, {"sources", b.sources},
	} {
		if n.value < 1 {
			faults = append(faults, fmt.Errorf("--%s %d: want 1 or more", n.flag, n.value))
		}
	}
	for _, n := range []struct {
		flag  string
		value time.Duration
	}{{"timeout", b.timeout}, {"duration", b.sendFor}, {"hold", b.hold}, {"login-duration", b.logFor}} {
		if n.value <= 0 {
			faults = append(faults, fmt.Errorf("--%s %v: want more than nothing", n.flag, n.value))
		}
	}
	if !(b.rate > 0) {
		faults = append(faults, fmt.Errorf("--rate %g: want more than 0 a second", b.rate))
	}
	if !(b.limit >= 0.01) {
		faults = append(faults, fmt.Errorf("--limit %g: want 0.01 MiB/s or more", b.limit))
	}
	return errors.Join(faults...)
}

// validate returns every fault of the selected parts.
func (p *patchRun) validate() error {
	var faults []error
	for _, part := range p.all() {
		if slices.Contains(p.parts, part.name) {
			faults = append(faults, part.validate())
		}
	}
	return errors.Join(faults...)
}

func (p *patchRun) players(accounts []players.Account) load.Clients {
	return load.Clients{Build: grunt.Build(p.build), Accounts: accounts, Sources: p.sources, Timeout: p.timeout}
}

// speak makes the clients native if requested. Clients that log in during updates use
// tokens, as most returning clients do. A thousand logins by password per second keep a
// core busy with big-number arithmetic, and this scenario measures updates.
func (p *patchRun) speak() (err error) {
	if p.patched.Native, err = p.native(p.patched.Accounts); err != nil || p.patched.Native == nil {
		return err
	}
	p.old.Native, p.fresh.Native = players.NewNative(p.old.Accounts, false), players.NewNative(p.fresh.Accounts, true)
	return nil
}

// patchPart is one measurement.
type patchPart struct {
	name     string
	validate func() error
	run      func(context.Context) error
}

// all returns the parts in the order of measurement.
func (p *patchRun) all() []patchPart {
	return []patchPart{
		{partThroughput, func() error { return p.throughputOptions().Validate() }, p.throughput},
		{partHold, func() error { return p.stalledOptions().Validate() }, p.stalled},
		{partLatency, func() error { return p.besideOptions().Validate() }, p.latency},
	}
}

// measure runs the parts. It starts none after ctx has ended.
func (p *patchRun) measure(ctx context.Context) (err error) {
	if p.patched.File, err = patch.MakeFile(ctx, p.stand.PatchPath(), p.fileMiB<<20, p.progress); err != nil {
		return err
	}
	p.report = load.NewPatchReport(&p.old, p.patched.File)
	for _, part := range p.all() {
		if ctx.Err() == nil && slices.Contains(p.parts, part.name) {
			if err := part.run(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	p.report.Interrupted = ctx.Err() != nil
	return nil
}

// unlimited returns the settings for a server without a rate limit.
func unlimited() []string {
	return []string{"GATEPASS_UPDATES__RATE=0", "GATEPASS_UPDATES__CLIENT_RATE=0"}
}

// start starts the testbed's server, which sends to atOnce clients at a time.
func (p *patchRun) start(ctx context.Context, atOnce int, env ...string) (load.Target, error) {
	p.patched.Env = append(env, "GATEPASS_UPDATES__AT_ONCE="+strconv.Itoa(atOnce))
	return p.stand.StartPatched(ctx, p.patched)
}

func (p *patchRun) throughputOptions() *load.ThroughputOptions {
	o := &load.ThroughputOptions{
		Clients: p.old, File: p.patched.File, Downloaders: p.clients, Checkers: p.checkers, Duration: p.sendFor, Times: p.sendTimes,
	}
	o.EnsureDefaults()
	return o
}

func (p *patchRun) throughput(ctx context.Context) error {
	o := p.throughputOptions()
	server, err := p.start(ctx, o.Downloaders, unlimited()...)
	if err != nil {
		return err
	}
	if !p.noFloor {
		floor, err := p.stand.StartPatchFloor(ctx, p.patched.File)
		if err != nil {
			return err
		}
		o.Floor = &floor
	}
	run, err := load.RunThroughput(ctx, server, *o, p.progress)
	if err != nil {
		return err
	}
	p.report.Patch.Throughput = run.Report(o)
	return nil
}

func (p *patchRun) stalledOptions() *load.StalledOptions {
	o := &load.StalledOptions{Clients: p.old, File: p.patched.File, Transfers: p.transfers, Hold: p.hold}
	o.EnsureDefaults()
	return o
}

func (p *patchRun) stalled(ctx context.Context) error {
	o := p.stalledOptions()
	env := append(unlimited(), "GATEPASS_UPDATES__STALL_LIMIT=1h", "GATEPASS_UPDATES__ACCEPT_LIMIT=1h")
	server, err := p.start(ctx, o.Transfers, env...)
	if err != nil {
		return err
	}
	o.Collect = p.stand.Collect
	run, err := load.RunStalled(ctx, server, *o, p.progress)
	if err != nil {
		return err
	}
	p.report.Patch.Stalled = run.Report()
	return nil
}

func (p *patchRun) besideOptions() *load.BesideOptions {
	o := &load.BesideOptions{
		Clients: p.old, File: p.patched.File, Downloaders: p.clients, Limit: p.limit * (1 << 20), Times: p.logTimes,
		Login: load.LoginOptions{Clients: p.fresh, Rate: p.rate, Duration: p.logFor, Seed: 1},
	}
	o.EnsureDefaults()
	return o
}

func (p *patchRun) latency(ctx context.Context) error {
	o := p.besideOptions()
	env := []string{"GATEPASS_UPDATES__RATE=" + strconv.FormatFloat(p.limit, 'f', -1, 64), "GATEPASS_UPDATES__CLIENT_RATE=0"}
	server, err := p.start(ctx, o.Downloaders, env...)
	if err != nil {
		return err
	}
	run, err := load.RunBeside(ctx, server, *o, p.progress)
	if err != nil {
		return err
	}
	p.report.Patch.Beside = run.Report(o)
	return nil
}
