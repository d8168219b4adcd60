package gate

import (
	"time"

	"gatepass/deadline"
)

// The limits of a gate, each with its reason. Those that an operator can set are fields
// of Options; their defaults are here.
const (
	// tickLate is the gap between ticks that shows that the process was stopped. A tick
	// then runs before everything else.
	tickLate = 3 * deadline.Every

	// DefaultHandshakeLimit: a client normally answers the challenge at once.
	DefaultHandshakeLimit = 10 * time.Second
	// DefaultClaimLimit limits the time to get a key, counted from the client's proof.
	// The client itself gives up later.
	DefaultClaimLimit = 8 * time.Second
	// DefaultIdleLimit: clients ping every half minute. A client that is silent for so
	// long is gone.
	DefaultIdleLimit = 5 * time.Minute
	// DefaultRefusalDelay is when a client with a wrong name, key or proof gets its
	// refusal, counted from its proof. The time is constant, so that it does not tell
	// whether the account has a key. It is longer than the directory waits for a key.
	DefaultRefusalDelay = 4 * time.Second
	// DefaultReconnectGrace is how long a key stays after its connection is closed.
	DefaultReconnectGrace = 10 * time.Minute
	// DefaultQueueGrace is how long a place in the queue stays after its connection is
	// closed. It is long enough to restart a crashed client.
	DefaultQueueGrace = time.Minute
	// DefaultMaxQueue is how many clients can wait in the queue.
	DefaultMaxQueue = 10_000
	// DefaultMaxClaims is how many clients can be getting their keys at the same time.
	// Further clients are refused, because late answers would only load the bus.
	DefaultMaxClaims = 1024
	// DefaultReactors is the number of event loops.
	DefaultReactors = 2

	// claimsPerNetwork is how many of those clients may be in one network
	// (guard.Network). A stranger who asks for keys that do not exist can then not lock
	// out all others. A normal client needs its place for milliseconds.
	claimsPerNetwork = 64
	// claimsPerCrowded is the limit while at least half of all places are in use.
	// Blocking a gate then needs about a hundred networks, not just a few.
	claimsPerCrowded = 4

	// locateEvery is when an unanswered request to the directory is repeated. It is
	// longer than the directory itself waits for a key, because a repeat restarts that
	// wait.
	locateEvery = 4 * time.Second
	// relocateEvery is how often the directory is asked again while a holder does not
	// answer. The holder may be gone, and the account may have logged in elsewhere.
	relocateEvery = time.Second
	// pauseLimit is the wait before a search for a key that was busy. A move takes
	// milliseconds.
	pauseLimit = 200 * time.Millisecond
	// againAfter is the wait before the second search for a client whose proof did not
	// match. The directory may not have known the key of the newest login.
	againAfter = 500 * time.Millisecond
	// leavingLimit closes a refused connection whose close found no room. Normally the
	// connection is closed after the refusal.
	leavingLimit = 5 * time.Second

	// positionsEvery is how often clients in the queue get a new position.
	positionsEvery = time.Second
	// positionsAtOnce is how many clients get a position at a time. The first
	// positionsFront clients always do; the others take turns. With 10,000 clients,
	// each gets one about every ten seconds.
	positionsAtOnce, positionsFront = 1000, 100

	// announceAtOnce is how many keys each tick announces again after the directory has
	// lost its data.
	announceAtOnce = 500
	// keysSpare is the room for keys beyond twice the number of players and waiting
	// clients. It is for players who have left and may return.
	keysSpare = 1024

	// maxPasses is how many passes can wait for their clients.
	maxPasses = 1 << 14

	// clientInbox is how many messages of one reactor can wait. clientInboxNew is the
	// part of it that new connections may use.
	clientInbox, clientInboxNew = 8192, 6144
	// busInbox is how many events of the bus can wait. When it is full, the bus waits.
	busInbox = 4096
	// postInbox is how many requests of the game can wait. When it is full, requests
	// are refused.
	postInbox = 1 << 15
	// commandInbox is how many commands can wait.
	commandInbox = 16
)
