package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"gatepass/codec/grunt"
)

// Target is a server under load and how to log in to it.
type Target struct {
	// Addr is its listener of the protocol that is played.
	Addr netip.AddrPort
	// PIDs are the processes whose CPU time and memory are its cost; a server
	// with a database has two. None: cost is not measured.
	PIDs []int
	// Canned says that its proofs are not to be believed or disbelieved: it is a
	// Floor.
	Canned bool
}

// reach tells a server that is not there from one that is slow, before any load.
func (t *Target) reach(ctx context.Context) error {
	if _, err := hostProc().usageOf(t.PIDs); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.Addr.String())
	if err != nil {
		return fmt.Errorf("load: cannot reach the server, is it running there? %w", err)
	}
	return conn.Close()
}

// reachWithin is how long a server under no load may take to accept.
const reachWithin = 5 * time.Second

// Clients is what all scenarios need to know of the clients they play.
type Clients struct {
	// Build decides the layouts. 0 means 5875.
	Build grunt.Build
	// Accounts are played in turn. At least one.
	Accounts []Account
	// Native makes them speak the native protocol, as these players, made of the same
	// accounts. nil: grunt.
	Native *Players
	// Threads drive the connections, each with its own share of everything. 0
	// means 1; more only pays when the client is the bottleneck and has cores.
	Threads int
	// Sources is how many loopback addresses (127.0.0.2 and up) connections
	// leave from in turn, when the target is on loopback over IPv4: each has its own
	// ports. 0 means 16, at most 200.
	Sources int
	// Timeout is the longest a login may take. 0 means 10 s.
	Timeout time.Duration
}

// LoginOptions is one run of full logins.
type LoginOptions struct {
	Clients
	// Concurrency is how many logins run at once in a closed loop, and how many
	// may at most in an open one. 0 means 32 and 4096.
	Concurrency int
	// Rate makes it an open loop of so many logins a second. 0: closed.
	Rate float64
	// Arrivals is the law of the open loop. Empty means Poisson.
	Arrivals Arrivals
	// Warmup runs before anything counts.
	Warmup time.Duration
	// Duration ends the run; 0 means 10 s, or no end when Count is set.
	Duration time.Duration
	// Count ends the run after so many logins; 0: no limit.
	Count int
	// WrongPercent of the logins use a wrong password, UnknownPercent an account
	// that does not exist. 0 … 100, and together no more.
	WrongPercent, UnknownPercent int
	// Seed makes arrivals and the mix of logins repeatable.
	Seed uint64
}

// HoldOptions is one run of connections that log in and stay.
type HoldOptions struct {
	Clients
	// Connections is how many. 0 means 15,000.
	Connections int
	// Rate is how many log in a second, at most. 0 means 3,000.
	Rate float64
	// Warmup is how many logins come and go before memory is first read, so
	// that what the server makes once is not counted. 0 means 500.
	Warmup int
	// Collect lets the server collect its garbage before memory is read: what its start has
	// left may be more than what is measured. nil: it is not told to.
	Collect func(context.Context) error
	// Settle is the pause before each reading of memory, which is read again until it falls
	// no more where there is Collect. 0 means 2 s.
	Settle time.Duration
	// Hold is how long the connections stay. 0 means 10 s.
	Hold time.Duration
	// ListEvery makes each connection ask for the realm list that often while it
	// stays; 0: never. A native one shows a sign of life instead, and 0 means 20 s: a
	// silent one would be sent away.
	ListEvery time.Duration
}

// ErrOptions says that options make no sense. Its text names each fault.
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

// EnsureDefaults fills in what is zero.
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

// EnsureDefaults fills in what is zero.
func (o *HoldOptions) EnsureDefaults() {
	o.ensureDefaults()
	setDefault(&o.Connections, 15_000)
	setDefault(&o.Rate, 3000)
	if o.Native != nil { // their accounts have large records, which the store's cache would grow by meanwhile
		setDefault(&o.Warmup, o.Connections)
	}
	setDefault(&o.Warmup, 500)
	setDefault(&o.Settle, 2*time.Second)
	setDefault(&o.Hold, 10*time.Second)
	if o.Native != nil {
		setDefault(&o.ListEvery, 20*time.Second)
	}
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// faults collects what is wrong with options.
type faults []error

func (f *faults) check(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOptions, errors.Join(f...))
}

func (c *Clients) validate(f *faults) {
	f.check(len(c.Accounts) > 0, "no accounts")
	f.check(c.Threads >= 1 && c.Threads <= maxThreads, "threads %d: want 1 to %d", c.Threads, maxThreads)
	f.check(c.Threads <= len(c.Accounts), "%d threads need an account each", c.Threads)
	f.check(c.Sources >= 1 && c.Sources <= maxSources, "sources %d: want 1 to %d", c.Sources, maxSources)
	f.check(c.Timeout > 0, "timeout %v: want more than 0", c.Timeout)
	f.check(c.Native == nil || len(c.Native.list) == len(c.Accounts), "the native players are not those of the accounts")
}

// Validate reports every fault at once.
func (o *LoginOptions) Validate() error {
	var f faults
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
	f.check(o.Native == nil || !o.Native.byToken || o.WrongPercent+o.UnknownPercent == 0, "a token is neither wrong nor unknown")
	return f.err()
}

// Validate reports every fault at once.
func (o *HoldOptions) Validate() error {
	var f faults
	o.collect(&f)
	return f.err()
}

func (o *HoldOptions) collect(f *faults) {
	o.validate(f)
	f.check(o.Connections >= o.Threads && o.Connections <= maxConnections,
		"connections %d: want the number of threads to %d", o.Connections, maxConnections)
	f.check(o.Rate > 0 && o.Rate <= 1e6, "rate %v: want 1 to 1,000,000 a second", o.Rate)
	f.check(o.Warmup >= 0 && o.Settle >= 0 && o.Hold >= 0 && o.ListEvery >= 0, "a negative length")
}

// sources are the addresses to connect from, or none where the kernel knows
// best: only on loopback are there more than one for the taking.
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
