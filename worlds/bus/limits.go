package bus

import "time"

// Every limit of the embedded server and of what the authority hands out, each
// with its reason. The same values stand in the snippet for an external server.
const (
	// maxPayload bounds one message, in bytes: a snapshot of 255 worlds with the
	// longest texts and the most routes has 913 KiB, and nothing else comes near it.
	maxPayload = 1 << 20
	// maxConnections bounds the nodes at once: 255 worlds, as many login servers,
	// managers, DNS and operators, and those that come back before the server
	// has noticed that they were gone.
	maxConnections = 1024
	// maxSubscriptions bounds those of one node: the richest kind, the login
	// server, has ten; the rest is room for replies that are waited for.
	maxSubscriptions = 64
	// maxPending is how many bytes may wait for a node that does not read before
	// it is cut off: 16 messages of the largest kind.
	maxPending = 16 << 20
	// mostConnections bounds all connections to a server, those of strangers that have
	// not proven yet who they are included: a stranger costs some 20 KB.
	mostConnections = maxConnections + 3072
	// authLimit is how long a stranger may take to prove who he is: a node takes some
	// milliseconds, and gives up after 3 s itself.
	authLimit = 2 * time.Second
	// strangersLook is how often strangers are looked at. So many as strangersFree may
	// take authLimit; where there are more they have strangerPatience, and strangerHaste
	// where three quarters of all places are taken.
	strangersLook    = 50 * time.Millisecond
	strangersFree    = 64
	strangerPatience = 500 * time.Millisecond
	strangerHaste    = 100 * time.Millisecond
	// strangersToldEvery is the time between two lines of the log about them.
	strangersToldEvery = time.Minute
	// serverPing and missedPings: a node whose machine has vanished is noticed
	// within half a minute; until then it costs one connection.
	serverPing  = 10 * time.Second
	missedPings = 2
	// serverWriteLimit is how long a write to a node may take.
	serverWriteLimit = 5 * time.Second

	// storeLimit bounds the disk that JetStream takes on one server, in bytes,
	// and accountStore what the region may take of it in all copies together.
	storeLimit   = 256 << 20
	accountStore = 256 << 20
	// storeLook is how often the store is looked at, and mended when it takes no more
	// writes. storeRoom is how much the disk must take first, in bytes: less would
	// be full again at once.
	storeLook = time.Second
	storeRoom = 1 << 20
	// worldsBucketSize and leaseBucketSize bound the buckets, in bytes: a table
	// of 255 worlds takes 100 KB, a lease 100 B.
	worldsBucketSize = 16 << 20
	leaseBucketSize  = 1 << 20
	// maxConsumers bounds those of the buckets: each manager that watches them
	// has one a bucket.
	maxConsumers = 64

	// startLimit is how long the server may take until it answers.
	startLimit = 15 * time.Second
	// bucketsLimit bounds one attempt to make the buckets; in a cluster they can
	// only be made once most servers are there, so it is tried again.
	bucketsLimit = 5 * time.Second
	bucketsRetry = 250 * time.Millisecond
	// bucketsAttempts is how often a server that is alone tries to make its buckets
	// before its start fails.
	bucketsAttempts = 6
	// setupAttempts is how often the server's own user tries to connect.
	setupAttempts = 40
	// authorityPoll is how often a running server looks for a new account token:
	// so long a revoked node may stay. It is one stat a time.
	authorityPoll = time.Second

	// certificateYears is how long the authority's certificates are good for.
	// Nobody but the region's own nodes trusts them.
	certificateYears = 10
	// maxAuthorityFile bounds what is read of the authority's own files, in bytes:
	// an account token with 10,000 revocations is below.
	maxAuthorityFile = 2 << 20
)
