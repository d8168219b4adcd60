package load

import (
	"context"
	"time"

	"gatepass/perf/load/patch"
)

// Three scenarios measure patches: how fast they are sent, what clients cost that stop
// reading, and how updates affect the logins of other clients.

// ThroughputOptions configures a run of clients that download a file again and again, as
// fast as they can. The server must have no limit for it.
type ThroughputOptions struct {
	// Clients configures the clients of the old build; its Build is the build to which they
	// are updated. Each needs an account of its own. Threads is not used.
	Clients
	// Floor is a floor with the same file, which is measured in turns with the server. nil:
	// only the server.
	Floor *Target
	File  *patch.File
	// Downloaders is the number of clients. 0 means 64.
	Downloaders int
	// Checkers of them compare every byte with the file. The others count what arrives and
	// discard it. 0 means 2.
	Checkers int
	// Warmup is the time in each turn before anything counts; 0 means 500 ms. Duration is
	// the length of a turn; 0 means 4 s.
	Warmup, Duration time.Duration
	// Times is the number of turns of each. 0 means 2.
	Times int
}

// StalledOptions configures a run of clients that accept a file and then stop reading.
type StalledOptions struct {
	// Clients configures the clients of the old build. Each needs an account of its own.
	Clients
	File *patch.File
	// Transfers is the number of clients. 0 means 10,000.
	Transfers int
	// Collect makes the server collect its garbage before memory is read, because the
	// garbage of so many sign-ins exceeds what is measured. nil: the server is not told to.
	Collect func(context.Context) error
	// Settle is the pause before each reading of memory, which is read again until it stops
	// falling; 0 means 1 s. Hold is how long the clients stay; 0 means 5 s.
	Settle, Hold time.Duration
}

// BesideOptions configures a run of logins, in turns without and with other clients that
// download a file as fast as the server's limit permits.
type BesideOptions struct {
	// Login configures the clients of the current build, which log in in an open loop. For
	// its Rate, 0 means 1000; for its Warmup, 0 means 1 s; for its Duration, 0 means 3 s.
	Login LoginOptions
	// Clients configures the clients of the old build.
	Clients
	File *patch.File
	// Downloaders is how many clients download the file. 0 means 64.
	Downloaders int
	// Limit is the server's limit, in bytes a second. It is only reported.
	Limit float64
	// Times is the number of turns of each kind. 0 means 5.
	Times int
}

// maxDownloaders is the largest number of clients that download at once.
const maxDownloaders = 100_000

// ensureDownloadDefaults replaces zero values by their defaults, for clients that download.
func ensureDownloadDefaults(c *Clients, downloaders *int, n int) {
	c.ensureDefaults()
	setDefault(downloaders, n)
}

// validateDownloads checks the options that all scenarios with downloads have.
func (f *optionErrors) validateDownloads(c *Clients, downloaders int, file *patch.File) {
	c.validate(f)
	f.check(downloaders >= 1 && downloaders <= maxDownloaders, "clients %d: want 1 to %d", downloaders, maxDownloaders)
	f.check(len(c.Accounts) >= downloaders, "%d accounts for %d clients: want one for each", len(c.Accounts), downloaders)
	f.check(file != nil && file.Size > 0, "no file to send")
}

// EnsureDefaults replaces zero values by their defaults.
func (o *ThroughputOptions) EnsureDefaults() {
	ensureDownloadDefaults(&o.Clients, &o.Downloaders, 64)
	setDefault(&o.Checkers, 2)
	setDefault(&o.Warmup, time.Second/2)
	setDefault(&o.Duration, 4*time.Second)
	setDefault(&o.Times, 2)
}

// Validate returns an error that names every fault.
func (o *ThroughputOptions) Validate() error {
	var f optionErrors
	f.validateDownloads(&o.Clients, o.Downloaders, o.File)
	f.check(o.Checkers >= 0 && o.Checkers <= o.Downloaders, "%d of %d clients check: want 0 to all", o.Checkers, o.Downloaders)
	f.check(o.Warmup >= 0 && o.Duration > 0, "a negative length")
	f.check(o.Times >= 1, "rounds %d: want 1 or more", o.Times)
	return f.err()
}

// EnsureDefaults replaces zero values by their defaults.
func (o *StalledOptions) EnsureDefaults() {
	ensureDownloadDefaults(&o.Clients, &o.Transfers, 10_000)
	setDefault(&o.Settle, time.Second)
	setDefault(&o.Hold, 5*time.Second)
}

// Validate returns an error that names every fault.
func (o *StalledOptions) Validate() error {
	var f optionErrors
	f.validateDownloads(&o.Clients, o.Transfers, o.File)
	f.check(o.Settle >= 0 && o.Hold >= 0, "a negative length")
	return f.err()
}

// EnsureDefaults replaces zero values by their defaults.
func (o *BesideOptions) EnsureDefaults() {
	ensureDownloadDefaults(&o.Clients, &o.Downloaders, 64)
	setDefault(&o.Login.Rate, 1000)
	setDefault(&o.Login.Warmup, time.Second)
	setDefault(&o.Login.Duration, 3*time.Second)
	o.Login.EnsureDefaults()
	setDefault(&o.Times, 5)
}

// Validate returns an error that names every fault.
func (o *BesideOptions) Validate() error {
	var f optionErrors
	f.validateDownloads(&o.Clients, o.Downloaders, o.File)
	if err := o.Login.Validate(); err != nil {
		f = append(f, err)
	}
	f.check(o.Times >= 1, "rounds %d: want 1 or more", o.Times)
	return f.err()
}

// downloads returns the options of the clients of the old build that every scenario with
// downloads has in common.
func (c *Clients) downloads(t *Target, file *patch.File) patch.Options {
	return patch.Options{
		Target: t.Addr, Sources: c.sources(t.Addr), Build: patch.OldBuild(c.Build), Accounts: c.Accounts, Native: c.Native,
		Timeout: c.Timeout, File: file, Busy: signingIn,
	}
}

// signingIn is how many clients sign in at once. Sign-ins are not measured.
const signingIn = 64
