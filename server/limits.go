package server

import "time"

// The limits of connections and queues, each with its reason. What an operator
// may set stands in Options; these are its defaults and what is fixed.
const (
	// DefaultReadBuffer is what one read takes from a socket, in bytes. The
	// largest message of a client is under 600; more is only sticky packets.
	DefaultReadBuffer = 4 << 10

	// MaxPending is how many undecoded bytes a connection may have waiting. A
	// codec never needs more than one whole message; the rest is a client that
	// sends faster than it is served.
	MaxPending = 8 << 10

	// DefaultSendBound is how many unsent bytes a connection may have before it
	// is cut off as too slow. A full list of worlds is at most 64 KiB.
	DefaultSendBound = 128 << 10

	// outBound is how many encoded bytes a reactor gathers before it writes them,
	// within one batch: a change of the worlds is sealed for each of thousands of
	// clients, and what that took would be kept.
	outBound = 256 << 10

	// DefaultSendQueue bounds the send queue, in replies. The logic makes at
	// most a few a message, and its inbox is bounded below this.
	DefaultSendQueue = 1 << 17

	// FileReserve is how many file descriptors are kept back from connections:
	// the store's files (at most 256, and for a while those of a second opening),
	// patches (256, and for a while those of before), the admin listener's (64 and 8
	// spare ones), account clients (16), the bus's client, listeners, epoll, and one
	// accepted connection a reactor that is on its way to be refused.
	FileReserve = 1024

	// crowdEase is which share of its places a full server must have free again
	// before it says that it has room: one in so many.
	crowdEase = 50

	// drainReads bounds what is read away before a refused connection is
	// closed, in bytes: unread bytes would turn the close into a reset, which
	// may destroy the refusal before the client has read it.
	drainReads = 64 << 10

	// iovMax is how many pieces the kernel takes in one writev; with more it
	// fails (UIO_MAXIOV).
	iovMax = 1024

	// DefaultTransferStall is how long a client may take too little of a file: longer
	// than a line is gone that comes back by itself.
	DefaultTransferStall = time.Minute

	// stallLeast is how many bytes a client takes within that time, at least: so that none
	// keeps its place among those who are served by taking a byte now and then.
	stallLeast = notSentLow / 2

	// DefaultTransferReaders is how many reads of files are under way at once: enough
	// that one that waits for a disk holds up few others, and few buffers.
	DefaultTransferReaders = 4

	// MaxTransferReaders bounds the memory of their buffers to 16 MiB.
	MaxTransferReaders = 64

	// MaxTransferRate is the highest limit that there can be for the sending of files, in
	// bytes a second: it is far beyond any line's, and a bucket counts it without loss.
	MaxTransferRate = 1 << 40

	// turnSize is how many bytes of frames a stream sends in one turn, at most. Beyond it
	// a byte gets no cheaper; a login waits for one turn at most before its reactor sees
	// it.
	turnSize = 128 << 10

	// turnsAReader is how many turn buffers there are for each reader: one to read into
	// while another is sent.
	turnsAReader = 2

	// turnsASecond is how many turns a stream or server of a low rate has at least: what
	// one of them owes is paid back by then.
	turnsASecond = 8

	// turnsATask is how many turns a reactor sends before it looks for what gnet has in
	// its queue of tasks.
	turnsATask = 4

	// notSentLow is how many bytes the kernel keeps unsent for one client of a file, about:
	// 10,000 that do not read cost it some 300 MiB. Over loopback 16 KiB are as fast as
	// 128; over 1 Gbit/s half of it lasts 130 µs, in which more is brought.
	notSentLow = 32 << 10

	// writableBatch is how many sockets are taken at once that can be written to again.
	writableBatch = 128

	// refusedPause is how long a stream rests whose socket says that it can be written to
	// and takes nothing, as when the kernel is out of memory for sockets.
	refusedPause = 50 * time.Millisecond

	// lineKept is from how many requests on the memory of a line is let go when it is empty.
	lineKept = 256

	// faultEach is how often it is logged of one file that it cannot be read, faultsKept of
	// how many files within that time.
	faultEach  = time.Minute
	faultsKept = 32

	// keepAlive is how long a silent peer is left alone before TCP asks for it.
	keepAlive = 60 * time.Second
)
