package busserver

import "time"

// The limits of the embedded server, each with its reason.
const (
	// authTimeout is how long a client may take to authenticate. A node takes some
	// milliseconds, and gives up after 3 s itself.
	authTimeout = 2 * time.Second
	// The server looks for unauthenticated connections every strangersLook. As long as
	// there are no more than strangersFree of them, each has authTimeout. If there are
	// more, each has strangerPatience; if three quarters of all connections are taken,
	// strangerHaste.
	strangersLook    = 50 * time.Millisecond
	strangersFree    = 64
	strangerPatience = 500 * time.Millisecond
	strangerHaste    = 100 * time.Millisecond
	// strangersToldEvery is the least time between two log lines about them.
	strangersToldEvery = time.Minute
	// serverPing and missedPings bound how long a node whose machine has vanished keeps
	// its connection: half a minute.
	serverPing  = 10 * time.Second
	missedPings = 2
	// serverWriteLimit is how long a write to a node may take.
	serverWriteLimit = 5 * time.Second

	// storeLook is the time between two checks of the store. storeRoom is how much the
	// disk must take, in bytes, before the server is restarted: with less it would be
	// full again at once.
	storeLook = time.Second
	storeRoom = 1 << 20
	// worldsBucketSize and leaseBucketSize bound the buckets, in bytes: a table of 255
	// worlds takes 100 KB, a lease 100 B.
	worldsBucketSize = 16 << 20
	leaseBucketSize  = 1 << 20

	// startLimit is how long the server may take to start.
	startLimit = 15 * time.Second
	// bucketsLimit bounds one attempt to create the buckets. In a cluster that fails until
	// most servers have started, so it is repeated every bucketsRetry.
	bucketsLimit = 5 * time.Second
	bucketsRetry = 250 * time.Millisecond
	// retryMin is the first pause between attempts of a server without a cluster; later
	// pauses grow to bucketsRetry. bucketsAttempts is how often it tries to create its
	// buckets before its start fails, and setupAttempts how often its own user tries to
	// connect.
	retryMin        = 100 * time.Millisecond
	bucketsAttempts = 6
	setupAttempts   = 40
	// authorityPoll is how often a running server checks for a new account token, which
	// bounds how long a revoked node stays connected. A check is one stat.
	authorityPoll = time.Second
)
