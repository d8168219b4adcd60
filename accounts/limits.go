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

	// MaxOps is the most operations of one Store.Do.
	MaxOps = 1024
	// ListPage is how many accounts are asked of the store at once.
	ListPage = 256

	// StoreWait bounds the wait for one batch, so that a hung disk or server
	// ends a command with an error.
	StoreWait = 60 * time.Second
)
