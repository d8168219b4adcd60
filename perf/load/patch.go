package load

import (
	"context"
	"time"
)

// The three things that patches are measured for: how fast they are sent, what a client
// costs that takes none, and what the logins of others suffer.

// ThroughputOptions is one run of clients that take a file as fast as they can, again and
// again. The server must have no limit for it.
type ThroughputOptions struct {
	// Clients are those of the old build; Build is the one that they are brought up to.
	// Each has an account of its own. Threads does nothing.
	Clients
	// Floor is a PatchFloor with the same file, measured by turns with the server. nil:
	// the server alone.
	Floor *Target
	File  *PatchFile
	// Takers is how many clients there are. 0 means 64.
	Takers int
	// Checkers of them compare every byte with the file; the others count what comes and
	// throw it away. 0 means 2.
	Checkers int
	// Warmup runs before anything counts, in each turn; 0 means 500 ms. Duration is the
	// length of a turn; 0 means 4 s.
	Warmup, Duration time.Duration
	// Times is how many turns each gets. 0 means 2.
	Times int
}

// StalledOptions is one run of clients that accept a file and then take nothing.
type StalledOptions struct {
	// Clients are those of the old build, each with an account of its own.
	Clients
	File *PatchFile
	// Transfers is how many. 0 means 10,000.
	Transfers int
	// Collect lets the server collect its garbage before memory is read: that of as many
	// sign-ins is more than what is measured. nil: it is not told to.
	Collect func(context.Context) error
	// Settle is the pause before each reading of memory, which is read again until it falls
	// no more; 0 means 1 s. Hold is how long
	// they are watched; 0 means 5 s.
	Settle, Hold time.Duration
}

// BesideOptions is one run of logins, by turns without and with clients beside that take a
// file as fast as the server's limit lets them.
type BesideOptions struct {
	// Login is the clients that are up to date, by an open loop. Its Rate 0 means 1000.
	// Warmup runs before anything counts in each turn; 0 means 1 s, Duration 0 means 3 s.
	Login LoginOptions
	// Clients are those of the old build.
	Clients
	File *PatchFile
	// Takers is how many take the file. 0 means 64.
	Takers int
	// Limit is the server's, in bytes a second; it is only reported.
	Limit float64
	// Times is how many turns of each kind. 0 means 5.
	Times int
}

// maxTakers bounds the clients that take a file at once.
const maxTakers = 100_000

// ensureUpdateDefaults fills in what is zero for clients that take updates.
func ensureUpdateDefaults(c *Clients, takers *int, n int) {
	c.ensureDefaults()
	setDefault(takers, n)
}

// validateTakers is what all kinds of runs want of clients that take a file.
func (f *faults) validateTakers(c *Clients, takers int, file *PatchFile) {
	c.validate(f)
	f.check(takers >= 1 && takers <= maxTakers, "clients %d: want 1 to %d", takers, maxTakers)
	f.check(len(c.Accounts) >= takers, "%d accounts for %d clients: want one for each", len(c.Accounts), takers)
	f.check(file != nil && file.Size > 0, "no file to send")
}

// EnsureDefaults fills in what is zero.
func (o *ThroughputOptions) EnsureDefaults() {
	ensureUpdateDefaults(&o.Clients, &o.Takers, 64)
	setDefault(&o.Checkers, 2)
	setDefault(&o.Warmup, time.Second/2)
	setDefault(&o.Duration, 4*time.Second)
	setDefault(&o.Times, 2)
}

// Validate reports every fault at once.
func (o *ThroughputOptions) Validate() error {
	var f faults
	f.validateTakers(&o.Clients, o.Takers, o.File)
	f.check(o.Checkers >= 0 && o.Checkers <= o.Takers, "%d of %d clients check: want 0 to all", o.Checkers, o.Takers)
	f.check(o.Warmup >= 0 && o.Duration > 0, "a negative length")
	f.check(o.Times >= 1, "rounds %d: want 1 or more", o.Times)
	return f.err()
}

// EnsureDefaults fills in what is zero.
func (o *StalledOptions) EnsureDefaults() {
	ensureUpdateDefaults(&o.Clients, &o.Transfers, 10_000)
	setDefault(&o.Settle, time.Second)
	setDefault(&o.Hold, 5*time.Second)
}

// Validate reports every fault at once.
func (o *StalledOptions) Validate() error {
	var f faults
	f.validateTakers(&o.Clients, o.Transfers, o.File)
	f.check(o.Settle >= 0 && o.Hold >= 0, "a negative length")
	return f.err()
}

// EnsureDefaults fills in what is zero.
func (o *BesideOptions) EnsureDefaults() {
	ensureUpdateDefaults(&o.Clients, &o.Takers, 64)
	setDefault(&o.Login.Rate, 1000)
	setDefault(&o.Login.Warmup, time.Second)
	setDefault(&o.Login.Duration, 3*time.Second)
	o.Login.EnsureDefaults()
	setDefault(&o.Times, 5)
}

// Validate reports every fault at once.
func (o *BesideOptions) Validate() error {
	var f faults
	f.validateTakers(&o.Clients, o.Takers, o.File)
	if err := o.Login.Validate(); err != nil {
		f = append(f, err)
	}
	f.check(o.Times >= 1, "rounds %d: want 1 or more", o.Times)
	return f.err()
}

// SendRun is what the clients of some turns were sent by one server.
type SendRun struct {
	// Elapsed is the length of the measured windows in sum.
	Elapsed time.Duration
	// Bytes of the file came within it, of which Checked were compared with it, and Files
	// came to their end.
	Bytes, Checked, Files uint64
	// ServerCPU and ClientCPU are the time used within it.
	ServerCPU, ClientCPU time.Duration
	// RSS is the server's resident memory at its end, in bytes.
	RSS int64

	mishaps mishaps
}

func (r *SendRun) add(s *SendRun) {
	r.Elapsed += s.Elapsed
	r.Bytes, r.Checked, r.Files = r.Bytes+s.Bytes, r.Checked+s.Checked, r.Files+s.Files
	r.ServerCPU += s.ServerCPU
	r.ClientCPU += s.ClientCPU
	r.RSS = max(r.RSS, s.RSS)
	r.mishaps = r.mishaps.merge(s.mishaps)
}

// perCore is how many bytes go out in a second of one core.
func (r *SendRun) perCore() float64 { return perSecond(r.Bytes, r.ServerCPU) }

func perSecond(n uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// ThroughputRun is what a run of ThroughputOptions measured.
type ThroughputRun struct {
	// Floor is nil where there was none.
	Floor, Server *SendRun
	Interrupted   bool
}

// StalledRun is what a run of StalledOptions measured.
type StalledRun struct {
	// Wanted clients, of whom Offered waited with the offer when memory was first read,
	// and Held had accepted and got the first of the file when it was read again.
	Wanted, Offered, Held int
	// Before, After and End are the server's resident memory in bytes: with all offers,
	// with all transfers, and at the end of the hold.
	Before, After, End int64
	// KernelBefore and KernelAfter are what the sockets of this machine hold, in bytes,
	// the clients' too.
	KernelBefore, KernelAfter int64
	// Stayed is how long they were held; Dropped of them the server closed. Idle is the
	// CPU time that it used meanwhile.
	Stayed      time.Duration
	Dropped     uint64
	Idle        time.Duration
	Interrupted bool

	mishaps mishaps
}

// BesideRun is what a run of BesideOptions measured.
type BesideRun struct {
	// Rounds are in the order in which they were measured.
	Rounds []BesideRound
	// Off and On are all turns without and with updates beside, joined; nil where there
	// was none.
	Off, On *LoginRun
	// Sent is what the turns with updates sent beside.
	Sent        SendRun
	Interrupted bool
}

// BesideRound is one turn of each kind, of which the times of whole logins.
type BesideRound struct{ Off, On Times }
