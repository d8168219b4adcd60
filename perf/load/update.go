package load

import (
	"maps"
	"sync/atomic"
	"time"

	"gatepass/codec/grunt"
)

// OldBuild is the build that is brought up to date to this one: the build before it, which
// no server lets in by itself.
func OldBuild(b grunt.Build) grunt.Build { return b - 1 }

// mishap is a way in which an update did not go as it should, in words for the report.
// Faults of the way there have the names that logins' faults have.
type mishap string

const (
	// mishapLetIn: the server let an old client in, or refused it, and offered nothing.
	mishapLetIn   mishap = "let in without an update"
	mishapRefused mishap = "refused"
	// mishapOffer: what is offered is not the file, by size or hash.
	mishapOffer mishap = "another file offered"
	// mishapContent: bytes that do not stand in the file there, or not there.
	mishapContent mishap = "wrong content"
	// mishapFrames: a frame of another length than one of the file has there.
	mishapFrames mishap = "frames of other lengths"
	// mishapFailed: the server said that it cannot send the file.
	mishapFailed mishap = "update failed"
	// noMishap is none.
	noMishap mishap = ""
)

// of gives a login's fault its name.
func (f Fault) mishap() mishap { return mishap(f.String()) }

// updateCounts are what a fleet has reached so far. Any goroutine may read them.
type updateCounts struct {
	bytes   atomic.Uint64 // of the file, that came
	checked atomic.Uint64 // of these, that were compared with it
	whole   atomic.Uint64 // files that came to their end
	offered atomic.Int64  // clients that wait with an offer
	started atomic.Int64  // clients that hold a transfer and take nothing
	failed  atomic.Uint64 // mishaps
	dropped atomic.Uint64 // of them, held clients that the server closed
}

// mishaps counts mishaps by name. It belongs to the fleet until that has ended.
type mishaps map[mishap]uint64

// counts is for a report.
func (m mishaps) counts() map[string]uint64 {
	counts := map[string]uint64{}
	for what, n := range m {
		counts[string(what)] = n
	}
	return counts
}

func (m mishaps) merge(o mishaps) mishaps {
	all := maps.Clone(m)
	if all == nil {
		all = mishaps{}
	}
	for what, n := range o {
		all[what] += n
	}
	return all
}

// fleetOptions is what the clients of a fleet are to do.
type fleetOptions struct {
	Target  Target
	Clients Clients // Build is the old one
	File    *PatchFile
	// Takers is how many clients there are, at most as many as accounts; the first
	// Checkers of them look at every byte. Busy is how many sign in at once.
	Takers, Checkers, Busy int
	// Doze is how long they look away when nothing has come, instead of waiting to be woken
	// by what comes next: over loopback it is the sender who pays for waking them, which no
	// player's machine makes it. 0: they wait.
	Doze time.Duration
	// Stall makes them wait with the offer until they are told to accept it, then take
	// one frame and no more.
	Stall bool
}

const (
	// updateWindow is how much native clients let be on the way: what the reference
	// client asks for.
	updateWindow = 4 << 20
	// stalledBuffer is the receive buffer of clients that take nothing: what lies there
	// is the price of their own machines. The kernel makes it the least there is.
	stalledBuffer = 1
	// takePortion is how much a client takes at once before others have their turn.
	takePortion = 256 << 10
	// checkBuffer is what a client that checks reads into.
	checkBuffer = 64 << 10
	// helloBuffer holds every answer of a sign-in but a native offer, for which it grows.
	helloBuffer = 512
	// acceptBatch is how many clients accept before others have their turn.
	acceptBatch = 64
	// updateNap is how often a fleet looks at the clock.
	updateNap = 20 * time.Millisecond
)
