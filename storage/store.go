package storage

// Store keeps accounts. Every request is asynchronous.
type Store interface {
	// Submit queues requests in order and never blocks. It returns how many it took.
	// The rest, which do not fit into the queue or come after Close, stay with the
	// caller and get no result.
	//
	// Each request taken gets exactly one Result. Results are delivered in batches to
	// the function given at opening, on goroutines of the store. Reads may overtake each
	// other; they see changes that are applied and perhaps not yet durable. The result
	// of a write is delivered when the write is durable; OpLogin, OpLoginFailed and
	// OpCharacters are exceptions, see there.
	//
	// Submit may be called from any goroutine. It does not keep ops.
	Submit(ops []Op) int
	// Secret is 32 random bytes made when the store was created. They never change.
	// Keys for fake salts and the like are derived from them.
	Secret() [32]byte
	// Close completes the requests taken, makes them durable and closes the store. It
	// is idempotent.
	Close() error
}

// MaxList is the largest number of accounts that one OpList returns, and the number
// that Op.Limit 0 stands for.
const MaxList = 1000
