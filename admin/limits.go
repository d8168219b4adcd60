package admin

import (
	"time"

	"gatepass/accounts"
)

const (
	// maxRequest is the longest request, in bytes, and where the server cuts a list of
	// accounts short. It bounds what one client makes the server hold.
	maxRequest = 4 << 20
	// maxReply is the longest reply that a client takes, in bytes. It is larger than
	// maxRequest because address bans come in one piece.
	maxReply = 64 << 20
	// maxHeader is the longest header of a request, in bytes; a client of this version
	// sends some hundred.
	maxHeader = 8 << 10
	// maxClients is how many clients the control socket serves at once; one more
	// is told that the server is busy.
	maxClients = 16
	// maxTurnedAway is how many clients are told so at once. Further ones are closed
	// without a word, so that a flood takes no more file descriptors.
	maxTurnedAway = 16

	// clientIdle is how long a client may be silent between two commands: longer than
	// somebody types a password or a database writes the next rows of an import. A
	// client that hangs would keep its place among maxClients forever.
	clientIdle = 15 * time.Minute
	// requestWait is how long a request may take to arrive.
	requestWait = accounts.StoreWait
	// replyWait is how long a command may take from its first byte until its reply is
	// read: to arrive, to be carried out, to be read.
	replyWait = requestWait + 2*accounts.StoreWait
	// turnAwayWait is how long a client that has no place may take to send its request
	// and to read that the server is busy.
	turnAwayWait = time.Second

	// lockWait is how long Open tries again when the store is locked and nobody
	// answers on the socket: a server that starts holds the lock first.
	lockWait = 3 * time.Second
	// lockRetry is the time between two such tries.
	lockRetry = 50 * time.Millisecond
)
