package patch

import (
	"net/netip"
	"sync/atomic"
	"time"

	"gatepass/codec/grunt"
	"gatepass/perf/load/players"
)

// OldBuild returns the build that is updated to b: the build before it, which no server
// accepts without an update.
func OldBuild(b grunt.Build) grunt.Build { return b - 1 }

// Counts is the progress of clients. Any goroutine may read it.
type Counts struct {
	Bytes   atomic.Uint64 // received bytes of the file
	Checked atomic.Uint64 // those of them that were compared with the file
	Whole   atomic.Uint64 // completed downloads
	Offered atomic.Int64  // clients that wait with an offer
	Started atomic.Int64  // clients that have started a download and read no more
	Failed  atomic.Uint64 // failed updates
	Dropped atomic.Uint64 // those of them that the server ended after the start
}

// Options configures the clients.
type Options struct {
	// Target is the address of the server.
	Target netip.AddrPort
	// Sources are the addresses to connect from, in turn. None: the kernel chooses.
	Sources []netip.Addr
	// Build is the clients' build, which is too old for the server.
	Build grunt.Build
	// Accounts has at least one account for each client.
	Accounts []players.Account
	// Native makes the clients use the native protocol with these accounts. nil: grunt.
	Native *players.Native
	// Timeout is the longest time without progress.
	Timeout time.Duration
	// File is what the server sends.
	File *File
	// Count is the number of clients. The first Checkers of them compare every byte.
	// Busy is how many sign in at once.
	Count, Checkers, Busy int
	// IdleSleep is how long the loop sleeps when nothing has arrived, instead of being woken by
	// the next data. Over loopback the sender pays for the wake-up; the machine of a real
	// player would not cost it that. 0: the loop waits for data.
	IdleSleep time.Duration
	// Stall makes the clients wait with the offer until accept is set, then read one frame
	// and no more.
	Stall bool
}

const (
	// window is how many unacknowledged bytes native clients allow. The reference
	// client asks for the same.
	window = 4 << 20
	// stalledBuffer is the receive buffer that stalled clients ask for, in bytes. The
	// kernel raises it to its minimum. Received data that lies there is a cost of the
	// client's machine.
	stalledBuffer = 1
	// discardPortion is the most bytes that one client discards before the others have their
	// turn.
	discardPortion = 256 << 10
	// checkBuffer is the read buffer of a client that compares every byte.
	checkBuffer = 64 << 10
	// firstBuffer is the first read buffer. It holds every answer of a sign-in except a
	// native offer, for which it grows.
	firstBuffer = 512
	// acceptBatch is how many clients accept an offer before others have their turn.
	acceptBatch = 64
	// maxWait is the longest time that the loop waits for events.
	maxWait = 20 * time.Millisecond
)
