package server

import "time"

// The limits of connections and queues, each with its reason. Options holds what an operator
// may set; these are the defaults and the fixed limits.
const (
	// DefaultReadBuffer is how many bytes one read takes from a socket. The largest message of
	// a client is under 600 bytes; a read gets more only when several messages arrive
	// together.
	DefaultReadBuffer = 4 << 10

	// MaxPending is how many undecoded bytes a connection may have. A codec never needs more
	// than one whole message. A client with more sends faster than the server handles it.
	MaxPending = 8 << 10

	// DefaultSendBound is how many unsent bytes a connection may have before it
	// is cut off as too slow. A full list of worlds is at most 64 KiB.
	DefaultSendBound = 128 << 10

	// outBound is how many encoded bytes a reactor gathers within one batch before it writes
	// them. A world list update is sealed for each of thousands of clients, and the memory for
	// that would be kept.
	outBound = 256 << 10

	// DefaultSendQueue limits the send queue, in replies. The logic makes at most a few
	// replies a message, and its inbox has a lower limit than this.
	DefaultSendQueue = 1 << 17

	// FileReserve is how many file descriptors are reserved and not used for connections: the
	// store's files (at most 256, and during a second opening also the new ones), patches
	// (256, and during a change also the old ones), the admin listener's (64 and 8 spare
	// ones), account clients (16), the bus client, listeners, epolls, and for each reactor one
	// accepted connection that it is about to refuse.
	FileReserve = 1024

	// crowdEase sets when a full server reports room again: when one of crowdEase places is
	// free.
	crowdEase = 50

	// drainReads is how many bytes the server reads and discards before it closes a refused
	// connection. Unread bytes would turn the close into a reset, which may destroy the
	// refusal before the client has read it.
	drainReads = 64 << 10

	// iovMax is how many pieces the kernel takes in one writev; with more, writev fails
	// (UIO_MAXIOV).
	iovMax = 1024

	// DefaultTransferStall is how long a client may take too little of a file. It is longer
	// than a network outage that ends by itself.
	DefaultTransferStall = time.Minute

	// stallLeast is how many bytes a client has to take within that time. It stops clients
	// from keeping a transfer open by taking a byte now and then.
	stallLeast = notSentLow / 2

	// DefaultTransferReaders is how many reads of files run at once. One read that waits for a
	// disk then delays few others, and few buffers are needed.
	DefaultTransferReaders = 4

	// MaxTransferReaders limits the memory of the readers' buffers to 16 MiB.
	MaxTransferReaders = 64

	// MaxTransferRate is the highest rate limit for sending files, in bytes a second. It is
	// far above the rate of any network link, and a bucket counts it without loss.
	MaxTransferRate = 1 << 40

	// turnSize is how many bytes of frames a stream sends in one turn, at most. Larger turns
	// do not lower the cost for each byte. A login waits for at most one turn before its
	// reactor handles it.
	turnSize = 128 << 10

	// turnsAReader is how many turn buffers there are for each reader: one to read into
	// while another is sent.
	turnsAReader = 2

	// turnsASecond is how many turns a second a stream or server with a low rate has, at
	// least. The tokens that one turn owes are paid back before the next.
	turnsASecond = 8

	// turnsATask is how many turns a reactor sends before it looks into gnet's task queue.
	turnsATask = 4

	// notSentLow is about how many unsent bytes the kernel keeps for one client of a file.
	// 10,000 clients that do not read cost the kernel some 300 MiB. Over loopback 16 KiB are
	// as fast as 128; over 1 Gbit/s half of it lasts 130 µs, and more is written within that
	// time.
	notSentLow = 32 << 10

	// writableBatch is how many writable sockets are taken from the epoll at once.
	writableBatch = 128

	// refusedPause is how long a stream pauses when its socket is reported as writable and
	// takes nothing, for example when the kernel is out of memory for sockets.
	refusedPause = 50 * time.Millisecond

	// lineKept is the capacity, in requests, above which an empty queue frees its memory.
	lineKept = 256

	// faultEach is the minimum time between two log lines about one unreadable file.
	// faultsKept is for how many files this is tracked within that time.
	faultEach  = time.Minute
	faultsKept = 32

	// keepAlive is how long a peer may be silent before TCP probes it.
	keepAlive = 60 * time.Second
)
