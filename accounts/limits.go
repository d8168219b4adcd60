package accounts

import "time"

const (
	// MaxPassword is the longest password, in characters. Clients accept no more.
	MaxPassword = 16
	// MaxReason is the longest reason of a ban, in bytes.
	MaxReason = 200

	// MaxImportLine is the longest line of an import file, in bytes. A longer line is a
	// bad row. An account with all the verifiers that storage accepts fits.
	MaxImportLine = 512 << 10
	// maxJSONValue is how many bytes the decoder of a JSON array may read for one
	// value. It exceeds MaxImportLine because the decoder reads ahead by as much as it
	// holds.
	maxJSONValue = 4 * MaxImportLine
	// batchRows and batchBytes are the largest batch of an import. One batch is one
	// group of creates with one fsync. It is large, so that 100,000 rows need few
	// fsyncs.
	batchRows  = 1024
	batchBytes = 1 << 20
	// nativeBatchRows is the same for imports that compute native verifiers, about 100
	// ms each. A batch then takes a second or two, and an interruption loses no more
	// work than that.
	nativeBatchRows = 16
	// nativeMemory limits the memory, in bytes, that the KDFs of an import use at the
	// same time.
	nativeMemory = 1 << 30

	// MaxOps is the largest number of operations in one Store.Do.
	MaxOps = 1024
	// ListPage is how many accounts one request reads from the store.
	ListPage = 256

	// StoreWait limits the wait for one batch. A command then ends with an error if the
	// disk or the server hangs.
	StoreWait = 60 * time.Second
)
