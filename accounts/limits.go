package accounts

import "time"

const (
	// MaxPassword is the longest password in characters; clients let a player
	// type no more.
	MaxPassword = 16
	// MaxReason is the longest reason of a ban, in bytes.
	MaxReason = 200

	// MaxImportLine is the longest line of an import file, in bytes; a longer one
	// is a bad row. An account with all the verifiers that storage takes fits.
	MaxImportLine = 512 << 10
	// maxJSONValue is how far the decoder of a JSON array may read for one value, in
	// bytes: it reads ahead by as much as it holds.
	maxJSONValue = 4 * MaxImportLine
	// batchRows and batchBytes end a batch of import lines. A batch is one group
	// of creates, so one fsync: large enough that 100,000 rows need few of them.
	batchRows  = 1024
	batchBytes = 1 << 20
	// nativeBatchRows is the same where native verifiers are made, some 100 ms each:
	// a batch is done in a second or two, and no more than that is lost.
	nativeBatchRows = 16
	// nativeMemory bounds the bytes that the KDFs of an import fill at a time.
	nativeMemory = 1 << 30

	// maxOps is the most operations of one Store.Do.
	maxOps = 1024
	// listPage is how many accounts are asked of the store at once.
	listPage = 256

	// maxWireLine is the longest request on the control socket, in bytes, and
	// where the server cuts a list short. Bounds what one client makes it hold.
	maxWireLine = 4 << 20
	// maxReplyLine is the longest reply that a client takes, in bytes. Larger
	// than maxWireLine because address bans come in one piece.
	maxReplyLine = 64 << 20
	// maxClients is how many clients the control socket serves at once; one more
	// is told that the server is busy.
	maxClients = 16

	// clientIdle is how long a client of the control socket may be silent: longer than
	// somebody types a password or a database writes the next rows of an import. One
	// that hangs would keep its place among maxClients for ever.
	clientIdle = 15 * time.Minute

	// storeWait bounds the wait for one batch, so that a hung disk or server
	// ends a command with an error.
	storeWait = 60 * time.Second
	// lockWait is how long Open tries again when the store is locked and nobody
	// answers on the socket: a server that starts holds the lock first.
	lockWait = 3 * time.Second
	// lockRetry is the time between two such tries.
	lockRetry = 50 * time.Millisecond
)
