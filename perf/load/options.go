package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"gatepass/codec/grunt"
	"gatepass/perf/load/players"
)

// Clients configures the clients of every scenario.
type Clients struct {
	// Build decides the message layouts. 0 means 5875.
	Build grunt.Build
	// Accounts are used in turn. At least one.
	Accounts []players.Account
	// Native makes the clients use the native protocol. It must be made from the same
	// accounts. nil: grunt.
	Native *players.Native
	// Threads is how many threads drive the connections. Each has an equal share of
	// everything. 0 means 1. More help only if the client is the bottleneck and has cores.
	Threads int
	// Sources is how many loopback addresses (from 127.0.0.2) the clients connect from in
	// turn, if the target is on loopback over IPv4. Each address has its own ports. 0 means
	// 16, at most 200.
	Sources int
	// Timeout is the longest a login may take. 0 means 10 s.
	Timeout time.Duration
}

// LoginOptions configures a run of full logins.
type LoginOptions struct {
	Clients
	// Concurrency is how many logins run at once in a closed loop, and the most that may in
	// an open loop. 0 means 32 and 4096.
	Concurrency int
	// Rate makes it an open loop with so many logins a second. 0: a closed loop.
	Rate float64
	// Arrivals is the distribution of starts in the open loop. Empty means Poisson.
	Arrivals Arrivals
	// Warmup is the time before logins count.
	Warmup time.Duration
	// Duration ends the run; 0 means 10 s, or no end when Count is set.
	Duration time.Duration
	// Count ends the run after so many logins; 0: no limit.
	Count int
	// WrongPercent of the logins use a wrong password, UnknownPercent an account that does
	// not exist. Their sum is 0 to 100.
	WrongPercent, UnknownPercent int
	// Seed makes the starts and the mix of logins repeatable.
	Seed uint64
}

// HoldOptions configures a run of connections that log in and stay open.
type HoldOptions struct {
	Clients
	// Connections is the number of connections. 0 means 15,000.
	Connections int
	// Rate is the most logins a second. 0 means 3,000.
	Rate float64
	// Warmup is how many logins run before memory is first read, so that memory which the
	// server allocates once does not count. 0 means 500.
	Warmup int
	// Collect makes the server collect its garbage before memory is read, because garbage of
	// its start may exceed what is measured. nil: the server is not told to.
	Collect func(context.Context) error
	// Settle is the pause before each reading of memory. With Collect, memory is read again
	// until it stops falling. 0 means 2 s.
	Settle time.Duration
	// Hold is how long the connections stay open. 0 means 10 s.
	Hold time.Duration
	// ListEvery is the interval at which each connection requests the realm list; 0: never.
	// Native connections send a sign of life instead, and 0 means 20 s, because the server
	// closes silent ones.
	ListEvery time.Duration
}

// ErrOptions says that options are invalid. Its text names each fault.
var ErrOptions = errors.New("load: options")

const (
	maxThreads     = 64
	maxSources     = 200
	maxConnections = 1_000_000
)

func (c *Clients) ensureDefaults() {
	setDefault(&c.Build, grunt.Build1121)
	setDefault(&c.Threads, 1)
	setDefault(&c.Sources, 16)
	setDefault(&c.Timeout, 10*time.Second)
}

// EnsureDefaults replaces zero values by their defaults.
func (o *LoginOptions) EnsureDefaults() {
	o.ensureDefaults()
	setDefault(&o.Arrivals, ArrivalsPoisson)
	if o.Rate > 0 {
		setDefault(&o.Concurrency, 4096)
	}
	setDefault(&o.Concurrency, 32)
	if o.Count == 0 {
		setDefault(&o.Duration, 10*time.Second)
	}
}

// EnsureDefaults replaces zero values by their defaults.
func (o *HoldOptions) EnsureDefaults() {
	o.ensureDefaults()
	setDefault(&o.Connections, 15_000)
	setDefault(&o.Rate, 3000)
	if o.Native != nil { // the store's cache would grow by their large records during the measurement
		setDefault(&o.Warmup, o.Connections)
	}
	setDefault(&o.Warmup, 500)
	setDefault(&o.Settle, 2*time.Second)
	setDefault(&o.Hold, 10*time.Second)
	if o.Native != nil {
		setDefault(&o.ListEvery, 20*time.Second)
	}
}

// setDefault sets *p to value if it is zero.
func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// optionErrors collects the errors in options.
type optionErrors []error

// check adds an error unless ok.
func (f *optionErrors) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// err returns all errors as one; nil if there are none.
func (f optionErrors) err() error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOptions, errors.Join(f...))
}

// validate checks the options that all scenarios have.
func (c *Clients) validate(f *optionErrors) {
	f.check(len(c.Accounts) > 0, "no accounts")
	f.check(c.Threads >= 1 && c.Threads <= maxThreads, "threads %d: want 1 to %d", c.Threads, maxThreads)
	f.check(c.Threads <= len(c.Accounts), "%d threads need an account each", c.Threads)
	f.check(c.Sources >= 1 && c.Sources <= maxSources, "sources %d: want 1 to %d", c.Sources, maxSources)
	f.check(c.Timeout > 0, "timeout %v: want more than 0", c.Timeout)
	f.check(c.Native == nil || len(c.Native.List) == len(c.Accounts), "the native players are not those of the accounts")
}

// Validate returns an error that names every fault.
func (o *LoginOptions) Validate() error {
	var f optionErrors
	o.validate(&f)
	f.check(o.Concurrency >= o.Threads && o.Concurrency <= maxConnections,
		"concurrency %d: want the number of threads to %d", o.Concurrency, maxConnections)
	f.check(o.Rate >= 0 && o.Rate <= 1e6, "rate %v: want 0 to 1,000,000 a second", o.Rate)
	f.check(o.Arrivals == ArrivalsPoisson || o.Arrivals == ArrivalsEven,
		"arrivals %q: want %q or %q", o.Arrivals, ArrivalsPoisson, ArrivalsEven)
	f.check(o.Warmup >= 0 && o.Duration >= 0 && o.Count >= 0, "a negative length")
	f.check(o.Count == 0 || o.Count >= o.Threads, "count %d: want one for each of %d threads", o.Count, o.Threads)
	f.check(o.WrongPercent >= 0 && o.UnknownPercent >= 0 && o.WrongPercent+o.UnknownPercent <= 100,
		"%d %% wrong and %d %% unknown: want 0 to 100 together", o.WrongPercent, o.UnknownPercent)
	f.check(o.Native == nil || !o.Native.ByToken || o.WrongPercent+o.UnknownPercent == 0, "a token is neither wrong nor unknown")
	return f.err()
}

// Validate returns an error that names every fault.
func (o *HoldOptions) Validate() error {
	var f optionErrors
	o.collect(&f)
	return f.err()
}

// collect checks the options without making one error of the faults.
func (o *HoldOptions) collect(f *optionErrors) {
	o.validate(f)
	f.check(o.Connections >= o.Threads && o.Connections <= maxConnections,
		"connections %d: want the number of threads to %d", o.Connections, maxConnections)
	f.check(o.Rate > 0 && o.Rate <= 1e6, "rate %v: want 1 to 1,000,000 a second", o.Rate)
	f.check(o.Warmup >= 0 && o.Settle >= 0 && o.Hold >= 0 && o.ListEvery >= 0, "a negative length")
}

// sources returns the addresses to connect from. It returns none where the kernel must
// choose: only loopback has several addresses.
func (c *Clients) sources(target netip.AddrPort) []netip.Addr {
	ip := target.Addr().Unmap()
	if !ip.Is4() || !ip.IsLoopback() {
		return nil
	}
	addrs := make([]netip.Addr, c.Sources)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)})
	}
	return addrs
}

// Arrivals is the distribution of the times at which the logins of an open loop begin.
type Arrivals string

const (
	// ArrivalsPoisson: logins are independent of each other, like those of real players.
	// The gaps between them are exponentially distributed.
	ArrivalsPoisson Arrivals = "poisson"
	// ArrivalsEven: all gaps are equal. This is the easiest load of a given rate.
	ArrivalsEven Arrivals = "even"
)
