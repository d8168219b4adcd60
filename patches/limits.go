package patches

import "time"

const (
	// maxCatalogueFile bounds what is read of a catalogue, in bytes: maxPatches of them
	// with all their chunks take 6 MiB.
	maxCatalogueFile = 16 << 20
	// maxPatches bounds the open files, which come out of the descriptors that are kept
	// back from connections, and the stats each second. A dozen locales with twenty
	// steps each fit.
	maxPatches = 256
	// maxMarks bounds what a Set is worked out from; a game has some dozens of builds.
	maxMarks = 512
	// maxKnown is the same for known files of clients.
	maxKnown = 1024
	// maxKnownEach bounds those of one build and platform: a proof is compared with each
	// of them, by the goroutine that serves all clients. A dozen mixtures of files are in
	// use at most.
	maxKnownEach = 32
	// maxPlatforms and maxLocales bound the kinds of clients that a catalogue tells
	// apart: the Set has an answer ready for each of them and each build. Existing clients
	// say five platforms and thirteen locales.
	maxPlatforms = 8
	maxLocales   = 16

	// maxTag is the longest tag of a client, in bytes: the wire has no room for more.
	maxTag = 4
	// maxWrong is the longest reason why a file is wrong, in bytes; ours are shorter.
	maxWrong = 256
	// maxPath is the longest path of a file, in bytes (the kernel's).
	maxPath = 4096

	// minChunk is the smallest chunk in bytes, a power of two as all are: below it a
	// hash costs more to send than a chunk to send again.
	minChunk = 256 << 10
	// maxChunk keeps a chunk's size within the wire's 32 bits.
	maxChunk = 1 << 30
	// maxSize is the largest file in bytes: as many chunks as an offer can name, of the
	// largest kind.
	maxSize = 256 * maxChunk

	// readPiece is how much of a file is read and hashed at once, in bytes: large enough
	// that a read and two hand-overs cost nothing beside it, small enough to stay in a
	// core's cache and to be cancelled soon.
	readPiece = 512 << 10
	// maxPieces is how many pieces the kernel takes in one read (UIO_MAXIOV).
	maxPieces = 1024

	// lockWait bounds the wait for another command that edits; one edit takes two
	// fsyncs.
	lockWait = 10 * time.Second
	// lockEvery is how often it is tried again.
	lockEvery = 20 * time.Millisecond
	// leftAfter is how old a file is that was half taken before it is swept away, if
	// nobody has it locked either: between making and locking it lies a moment.
	leftAfter = time.Minute
	// unneededAfter is how long a file that was taken may lie in the folder without a
	// patch that needs it: who copies the folder to another server copies the catalogue
	// last.
	unneededAfter = 24 * time.Hour

	// defaultEvery is how often a Watcher looks: soon enough for who waits for his
	// command to take effect, and at most 257 stats.
	defaultEvery = time.Second
	// endWait bounds the wait for a look or a read at the end of a Watch: on a disk that
	// does not answer they take forever, and no signal ends them.
	endWait = 500 * time.Millisecond
	// maxNews is how many changes of a catalogue are told each in a line of its own; a
	// script may make hundreds at once.
	maxNews = 10
)
