package gate

import (
	"time"

	"gatepass/deadline"
)

// The limits of a gate, each with its reason. What an operator may set stands in
// Options; these are its defaults and what is fixed.
const (
	// tickLate is the time between two ticks from which on the process has stood still:
	// then the time is told before anything else is done.
	tickLate = 3 * deadline.Every

	// DefaultHandshakeLimit: a client answers the challenge at once.
	DefaultHandshakeLimit = 10 * time.Second
	// DefaultClaimLimit is how long getting a key may take, from the client's proof
	// on. A client gives up by itself after some more.
	DefaultClaimLimit = 8 * time.Second
	// DefaultIdleLimit: clients ping each half minute; one that has said nothing
	// for so long is gone.
	DefaultIdleLimit = 5 * time.Minute
	// DefaultRefusalDelay is when, from the proof on, a client is told that it was
	// wrong, whatever about it was: the time must not tell whether an account has
	// a key somewhere. It is above what the directory waits for one.
	DefaultRefusalDelay = 4 * time.Second
	// DefaultReconnectGrace is how long a key outlives its connection.
	DefaultReconnectGrace = 10 * time.Minute
	// DefaultQueueGrace is how long a place in line outlives its connection: long
	// enough to start a client again that has crashed.
	DefaultQueueGrace = time.Minute
	// DefaultMaxQueue is how many may wait in line.
	DefaultMaxQueue = 10_000
	// DefaultMaxClaims is how many clients may be getting their keys at once. More
	// are refused: they would fill the bus with what is answered too late.
	DefaultMaxClaims = 1024
	// DefaultReactors is how many event loops there are.
	DefaultReactors = 2

	// claimsPerNetwork is how many of those may be in one network (guard.Network), so
	// that a stranger who asks for keys that are nowhere cannot keep everybody else
	// out. A client is there for milliseconds.
	claimsPerNetwork = 64
	// claimsPerCrowded is the same once half of all are there: some hundred networks
	// are then needed to shut a gate, and not a handful.
	claimsPerCrowded = 4

	// locateEvery is when a question to the directory is asked again that was not
	// answered: above what it waits for a key by itself, since asking again begins
	// that anew.
	locateEvery = 4 * time.Second
	// relocateEvery is how often the directory is asked again while a holder does not
	// answer: it may be gone, and the account have logged in elsewhere.
	relocateEvery = time.Second
	// pauseLimit is how long is waited before a key that was busy is looked for
	// again: a move takes milliseconds.
	pauseLimit = 200 * time.Millisecond
	// againAfter is when a client whose proof did not fit the key that was found is
	// looked for once more: the key of a login just made may be younger than what
	// the directory knew.
	againAfter = 500 * time.Millisecond
	// leavingLimit: a refused connection is closed behind its refusal; this catches
	// one whose close found no room.
	leavingLimit = 5 * time.Second

	// positionsEvery is how often those in line are told that they have moved on.
	positionsEvery = time.Second
	// positionsAtOnce is how many are told at a time, positionsFront of them at the
	// front, always; the others take turns. With 10,000 in line each is told every
	// ten seconds or so.
	positionsAtOnce, positionsFront = 1000, 100

	// announceAtOnce is how many keys are announced anew with each tick, when the
	// directory has lost what it knew.
	announceAtOnce = 500
	// keysSpare is for how many keys there is room beyond twice of those who play
	// and wait: keys of players who have left and may come back.
	keysSpare = 1024

	// maxPasses is how many passes may wait for their clients.
	maxPasses = 1 << 14

	// clientInbox is how many messages of one reactor may wait, clientInboxNew the
	// part of it that new connections may fill.
	clientInbox, clientInboxNew = 8192, 6144
	// busInbox is how many events of the bus may wait; the bus then waits.
	busInbox = 4096
	// postInbox is how much players may be sent before the logic takes it; more is
	// refused to the game.
	postInbox = 1 << 15
	// commandInbox is how many commands may wait.
	commandInbox = 16
)
