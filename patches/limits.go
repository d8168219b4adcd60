package patches

import "time"

const (
	// maxCatalogueFile limits what is read of a catalogue, in bytes. maxPatches patches with
	// all their chunks take 6 MiB.
	maxCatalogueFile = 16 << 20
	// maxPatches limits the open files, which use the descriptors reserved from connections,
	// and the stat calls each second. A dozen locales with twenty steps each fit.
	maxPatches = 256
	// maxMarks limits the input for making a Set. A game has some dozens of builds.
	maxMarks = 512
	// maxKnown limits the known hashes of clients' files, for the same reason.
	maxKnown = 1024
	// maxKnownEach limits the known hashes of one build and platform, because the goroutine
	// that serves all clients compares a proof with each of them. At most a dozen variants of
	// files are in use.
	maxKnownEach = 32
	// maxPlatforms and maxLocales limit the kinds of clients that a catalogue distinguishes,
	// because the Set has an answer for each kind and each build. Existing clients send five
	// platforms and thirteen locales.
	maxPlatforms = 8
	maxLocales   = 16

	// maxTag is the longest tag of a client, in bytes; the wire format has no room for more.
	maxTag = 4
	// maxWrong is the longest reason why a file is wrong, in bytes; our reasons are shorter.
	maxWrong = 256
	// maxPath is the longest path of a file, in bytes (the kernel's limit).
	maxPath = 4096

	// minChunk is the smallest chunk in bytes; every chunk size is a power of two. For a
	// smaller chunk, its hash costs more to send than the chunk costs to send again.
	minChunk = 256 << 10
	// maxChunk keeps a chunk's size within the wire format's 32 bits.
	maxChunk = 1 << 30
	// maxSize is the largest file in bytes: as many chunks as an offer can name, of the
	// largest size.
	maxSize = 256 * maxChunk

	// readPiece is how much of a file is read and hashed at once, in bytes. It is large enough
	// that a read and two hand-overs cost little in comparison. It is small enough for a
	// core's cache and for a quick cancel.
	readPiece = 512 << 10
	// maxPieces is how many pieces the kernel accepts in one read (UIO_MAXIOV).
	maxPieces = 1024

	// lockWait limits the wait for another command that edits. One edit takes two fsyncs.
	lockWait = 10 * time.Second
	// lockEvery is how often to try the lock again.
	lockEvery = 20 * time.Millisecond
	// leftAfter is the age at which a partly copied file is removed, if nobody has it locked.
	// The age is needed because a file is created shortly before it is locked.
	leftAfter = time.Minute
	// unneededAfter is how long a taken file may stay in the folder without a patch that needs
	// it. An operator who copies the folder to another server copies the catalogue last.
	unneededAfter = 24 * time.Hour

	// defaultEvery is how often a Watcher looks. It is short enough for an operator who waits
	// until a command takes effect, and costs at most 257 stat calls.
	defaultEvery = time.Second
	// endWait limits the wait for a look or a read at the end of a Watch. On a disk that does
	// not answer they take forever, and no signal ends them.
	endWait = 500 * time.Millisecond
	// maxNews is how many changes of a catalogue are logged in a line each. A script may make
	// hundreds at once.
	maxNews = 10
)
