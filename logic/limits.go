package logic

import (
	"time"

	"gatepass/deadline"
)

// The limits of the logic, each with its reason. What an operator may set
// stands in Options; these are its defaults and what is fixed.
const (
	// TickEvery is how often the clock's tick must come: the grain of every
	// deadline.
	TickEvery = deadline.Every

	// DefaultClientInbox is how many messages of one reactor may wait. At a few
	// microseconds each that is some tens of milliseconds of work: what waits
	// longer is better kept in the sockets.
	DefaultClientInbox = 8192

	// clientInboxNew is the share of it, in percent, that new connections may
	// fill: the rest is kept for those that are under way.
	clientInboxNew = 75

	// resultInbox is how many results of one pool may wait; the pool's
	// goroutines wait when it is full.
	resultInbox = 4096

	// commandInbox is how many commands may wait; more are refused.
	commandInbox = 256

	// poolTarget is how many ephemeral keys are kept ready, poolLow when more
	// are made: so a challenge needs no wait for the auth pool, and the pool
	// makes them in batches.
	poolTarget, poolLow = 256, 128

	// DefaultReconnectGrace is how long a session key outlives its connection:
	// clients leave the login connection when they enter a world and come back
	// to change it.
	DefaultReconnectGrace = 10 * time.Minute

	// DefaultRefreshEvery is how often the list is pushed for the worlds' figures
	// alone: players look at it for seconds, not longer.
	DefaultRefreshEvery = 5 * time.Second

	// notesRound is how many character counts are stored a tick: 40,000 a second,
	// a small part of what the store takes.
	notesRound = 4096

	// endsKept is how many ended accounts are told of again when the bus comes back
	// or another manager leads, endsFor for how long: an end that nobody heard would
	// leave a banned player in a world, and one that is told too late would end the
	// next login.
	endsKept, endsFor = 4096, time.Minute

	// announceChunk is how many keys are announced anew a tick: with every account
	// of a full server that takes some ticks, and stalls nobody.
	announceChunk = 4096

	// tickLate is the time between two ticks from which on the process has stood still,
	// or does not keep up: then messages that came in time may wait behind the tick, so
	// nobody is ended before the next one.
	tickLate = 3 * TickEvery

	// PaceEvery is how often the tick comes while sessions are to be ended, or will be
	// soon: so they are ended a few at a time.
	PaceEvery = TickEvery / 10

	// overdueLeast and overdueMost bound how many sessions are ended a tick, for want of
	// a sign from their clients; between these it is one part in overdueShare of those
	// that are due. At some microseconds each that keeps nobody waiting who logs in.
	overdueLeast, overdueMost, overdueShare = 16, 256, 8

	// reclaimRefusal is the least time after which a client is told that its reconnect
	// has failed, whatever the reason: longer than the region takes to look for a key
	// and to check a proof, so that the time says nothing; and long enough to look again
	// with the second tick, when the directory knows of a key that has just moved.
	reclaimRefusal = 300 * time.Millisecond

	// locateEvery is how often the directory is asked again that does not answer, or
	// answers with a place where the key is not, locateLimit for how long: longer than
	// another manager takes to lead.
	locateEvery, locateLimit = 500 * time.Millisecond, 8 * time.Second

	// slowAnswer is the time of an answer from which on the region is behind: then a
	// key that nobody knows of may be on its way to the directory, and it is asked
	// again, slowAnswers times at most.
	slowAnswer, slowAnswers = TickEvery, 3

	// reclaimLimit is how long the move of a key to a client that came back may
	// take: longer than the holder is asked for it.
	reclaimLimit = 8 * time.Second

	// DefaultPingEvery is how often a silent native client shows itself: often enough
	// for the tables of address translators on the way, which forget after minutes.
	DefaultPingEvery = 30 * time.Second

	// pingsMissed is how many of these may be missed.
	pingsMissed = 3

	// DefaultPassValidity is how long a pass may stay unused: as long as loading a
	// world takes on a slow machine.
	DefaultPassValidity = time.Minute

	// DefaultDeviceLifetime is how long a device is remembered after it was last
	// enrolled.
	DefaultDeviceLifetime = 30 * 24 * time.Hour

	// returnsPerSecond is how many clients come back in a second that are told to when
	// this server goes away, returnBase when the first one does: half of what one core
	// signs in by password, so that there is room for those who come by themselves.
	returnsPerSecond, returnBase = 500, 500 * time.Millisecond

	// returnEach is the time between two clients of one network that were refused and
	// told to come back, returnMost the most that a network's clients make each other
	// wait, and the time within which those come back that a server sends off.
	returnEach, returnMost = 20 * time.Millisecond, 30 * time.Second

	// returnSpread is the time over which clients of different networks are spread that
	// were refused, in returnsSpread steps.
	returnSpread, returnsSpread = 500 * time.Millisecond, 250

	// DefaultSignInsPerMinute lets a house full of players sign in at once, and a
	// stranger take one part in a hundred of a core.
	DefaultSignInsPerMinute = 600

	// maintenanceReturn is how much later clients are told to come back in a
	// maintenance, which nobody expects to end in a second.
	maintenanceReturn = 30 * time.Second

	// DefaultUpdatesAtOnce is how many files are sent at once: at a gigabit's worth of
	// patches each then still has 100 KiB a second, and who waits is told so.
	DefaultUpdatesAtOnce = 1000

	// DefaultAcceptLimit is how long a player may think about an offered file.
	DefaultAcceptLimit = 5 * time.Minute

	// sentLimit is how long a client may stay that has been sent its file: what the
	// kernel still holds has to get there, and then the client goes by itself.
	sentLimit = 5 * time.Minute

	// placesRound is how many of those who wait in line are told their place a tick: 10,000
	// a second, each time a small frame.
	placesRound = 1000

	// placesEvery is how often the line is gone through to tell those whose place has
	// changed.
	placesEvery = 2 * time.Second

	// signalDepth is how deep a signal may be raised within a slot of another.
	signalDepth = 8
)

// Default limits of the time a session may spend in a state. None is without.
const (
	// DefaultConnectedLimit: a client speaks first, and at once.
	DefaultConnectedLimit = 10 * time.Second
	// DefaultProvingLimit: a player may have to type a PIN or a code.
	DefaultProvingLimit = 60 * time.Second
	// DefaultWorkLimit: states that wait for our own pools.
	DefaultWorkLimit = 10 * time.Second
	// DefaultChoosingLimit: a client at the list of worlds asks for it again
	// from time to time; one that has not for so long is gone.
	DefaultChoosingLimit = 15 * time.Minute
	// leavingLimit: a refused connection is closed behind its refusal; this
	// catches one whose close found no room.
	leavingLimit = 5 * time.Second
)
