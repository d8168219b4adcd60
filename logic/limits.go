package logic

import (
	"time"

	"gatepass/deadline"
)

// The limits of the logic, each with its reason. What an operator may set
// stands in Options; these are its defaults and what is fixed.
const (
	// TickEvery is how often the clock's tick must come. Deadlines are no finer than that.
	TickEvery = deadline.Every

	// DefaultClientInbox is how many messages of one reactor may wait. At a few
	// microseconds each that is some tens of milliseconds of work. More than that is better
	// left in the sockets.
	DefaultClientInbox = 8192

	// clientInboxNew is the share of it, in percent, that new connections may fill. The
	// rest is for connections that have begun.
	clientInboxNew = 75

	// resultInbox is how many results of one pool may wait. When it is full, the pool's
	// goroutines wait.
	resultInbox = 4096

	// commandInbox is how many commands may wait; more are refused.
	commandInbox = 256

	// poolTarget is how many ephemeral keys are kept ready. More are made when poolLow are
	// left, so a challenge does not wait for the auth pool, and the auth pool makes keys in
	// batches.
	poolTarget, poolLow = 256, 128

	// DefaultReconnectGrace is how long a session key outlives its connection:
	// clients leave the login connection when they enter a world and come back
	// to change it.
	DefaultReconnectGrace = 10 * time.Minute

	// DefaultRefreshEvery is how often the list is pushed when only the worlds' figures
	// have changed. A player looks at the list for some seconds.
	DefaultRefreshEvery = 5 * time.Second

	// notesRound is how many character counts are stored a tick: 40,000 a second,
	// a small part of what the store takes.
	notesRound = 4096

	// endsKept is how many ended accounts are told of again when the bus comes back
	// or another manager leads, and endsFor for how long. An end that is lost leaves a
	// banned player in a world. One that comes too late ends the next login.
	endsKept, endsFor = 4096, time.Minute

	// announceChunk is how many keys are announced anew a tick. All keys of a full server
	// take some ticks, so that they do not stall the logic.
	announceChunk = 4096

	// tickLate is the time between two ticks from which on the process was suspended or does
	// not keep up. Messages that came in time may then wait behind the tick, so no session
	// ends before the next tick.
	tickLate = 3 * TickEvery

	// PaceEvery is how often the tick comes while sessions are to be ended, or will be
	// soon, so that a few are ended at a time.
	PaceEvery = TickEvery / 10

	// overdueLeast and overdueMost bound how many sessions end with a tick because their
	// time is over. Between the two, one in overdueShare of those that are due ends. At some
	// microseconds each, logins do not wait for them.
	overdueLeast, overdueMost, overdueShare = 16, 256, 8

	// reclaimRefusal is the least time after which a client is told that its reconnect
	// has failed, whatever the reason. It is longer than the region takes to look for a key
	// and to check a proof, so the time does not tell the reason. It is long enough to look
	// again with the second tick, when the directory knows of a key that has just moved.
	reclaimRefusal = 300 * time.Millisecond

	// locateEvery is how often the directory is asked again when it does not answer, or
	// names a place where the key is not. locateLimit is for how long: longer than another
	// manager takes to become the leader.
	locateEvery, locateLimit = 500 * time.Millisecond, 8 * time.Second

	// slowAnswer is the time of an answer from which on the region is behind. The
	// announcement of an unknown key may then be on its way to the directory, so the
	// directory is asked again, slowAnswers times at most.
	slowAnswer, slowAnswers = TickEvery, 3

	// reclaimLimit is how long the move of a key to a client that came back may take. It is
	// longer than the holder is asked for the key.
	reclaimLimit = 8 * time.Second

	// DefaultPingEvery is how often a silent native client pings. NAT tables on the way
	// forget a connection after some minutes without traffic.
	DefaultPingEvery = 30 * time.Second

	// pingsMissed is how many of these may be missed.
	pingsMissed = 3

	// DefaultPassValidity is how long a pass may stay unused. Loading a world takes that
	// long on a slow machine.
	DefaultPassValidity = time.Minute

	// DefaultDeviceLifetime is how long a device is remembered after it was last
	// enrolled.
	DefaultDeviceLifetime = 30 * 24 * time.Hour

	// returnsPerSecond is how many of the clients that a stopping server sends away are told
	// to come back in one second, and returnBase is when the first is to come back. One core
	// signs in twice as many by password, so there is room for other clients.
	returnsPerSecond, returnBase = 500, 500 * time.Millisecond

	// returnEach is the time between two refused clients of one network that are told to
	// come back. returnMost is the longest that the clients of a network make each other
	// wait, and the time within which the clients of a stopping server come back.
	returnEach, returnMost = 20 * time.Millisecond, 30 * time.Second

	// returnSpread is the time over which refused clients of different networks are spread,
	// in returnsSpread steps.
	returnSpread, returnsSpread = 500 * time.Millisecond, 250

	// DefaultSignInsPerMinute lets a house full of players sign in at once, and lets one
	// network use 1 % of a core.
	DefaultSignInsPerMinute = 600

	// maintenanceReturn is how much later clients are told to come back during a
	// maintenance, which takes longer than a second.
	maintenanceReturn = 30 * time.Second

	// DefaultUpdatesAtOnce is how many files are sent at once. At 1 Gbit/s each gets
	// 100 KiB a second. The other clients wait in the queue.
	DefaultUpdatesAtOnce = 1000

	// DefaultAcceptLimit is how long a player has to accept an offered file.
	DefaultAcceptLimit = 5 * time.Minute

	// sentLimit is how long an existing client may stay after its file was sent. What is in
	// the kernel's buffers has to arrive, and then the client closes the connection.
	sentLimit = 5 * time.Minute

	// placesRound is how many of the clients in the update queue are told their place a
	// tick: 10,000 small frames a second.
	placesRound = 1000

	// placesEvery is how often the clients in the update queue are told their place, if it
	// has changed.
	placesEvery = 2 * time.Second

	// signalDepth is how deep signals may nest: one raised in a slot of another.
	signalDepth = 8
)

// Default limits of the time a session may spend in a state. Every state has one.
const (
	// DefaultConnectedLimit: the client sends the first message, and at once.
	DefaultConnectedLimit = 10 * time.Second
	// DefaultProvingLimit: a player may have to type a PIN or a code.
	DefaultProvingLimit = 60 * time.Second
	// DefaultWorkLimit: states that wait for our own pools.
	DefaultWorkLimit = 10 * time.Second
	// DefaultChoosingLimit: a client at the list of worlds asks for it again from time to
	// time. One that has not asked for so long is gone.
	DefaultChoosingLimit = 15 * time.Minute
	// leavingLimit: a refused connection is closed behind its refusal. After this time the
	// close is repeated, which may have found no room.
	leavingLimit = 5 * time.Second
)
