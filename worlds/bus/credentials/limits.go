package credentials

// Limits that the account's token, the configuration for an external NATS server and the
// embedded server have in common.
const (
	// MaxNodes bounds the connected nodes: 255 worlds, as many login servers, managers,
	// DNS servers and operators, and the former connections of nodes that have connected
	// again before the server noticed that those are dead.
	MaxNodes = 1024
	// MaxConnections bounds all connections to a server, those that are not authenticated
	// yet included. Such a connection costs some 20 KB.
	MaxConnections = MaxNodes + 3072
	// MaxSubscriptions bounds those of one node. A login server has the most, ten; the
	// rest is room for replies that are waited for.
	MaxSubscriptions = 64
	// MaxPending is how many bytes may wait for a node that does not read before the server
	// disconnects it: 16 messages of the largest kind.
	MaxPending = 16 << 20

	// MaxStore bounds the disk that JetStream takes on one server, in bytes.
	MaxStore = 256 << 20
	// accountStore bounds the disk that all copies of the buckets take together, in bytes.
	accountStore = 256 << 20
	// maxConsumers bounds the consumers of the buckets: a manager has one for each bucket
	// that it watches.
	maxConsumers = 64

	// certificateYears is how long certificates are valid. Only the region's own nodes
	// trust them.
	certificateYears = 10
	// maxFile bounds how much of one of the authority's files is read, in bytes. An account
	// token with 10,000 revocations is smaller.
	maxFile = 2 << 20
)
