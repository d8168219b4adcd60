// Package patches decides which builds of the game may log in, and which files update an older
// client.
//
//	gatepass patch … ─▶ Edit ─▶ catalogue.json ─▶ Watcher ─▶ Set ─▶ logic: Judge
//	                    Take ─▶ files ───────────────┘        └──▶ File ─▶ server: ReadVector
//
// A Catalogue is the data that operators edit: marks of builds, patches, and the known hashes
// of clients' files. It is one readable file in a folder and is replaced as a whole, so it may
// be edited whether or not a server runs. The files of patches stay where the operator keeps
// them, or are copied into the folder.
//
// A Set is a catalogue with its files open. It never changes. Its holder may use it whatever
// happens to the folder meanwhile; its descriptors are closed when nothing refers to it or its
// files any more. The answers to clients (Judge) are computed when the Set is made, for every
// kind of client that the catalogue distinguishes. A login therefore costs three look-ups.
//
// Watch updates the Set. It checks each second whether the catalogue or one of its files has
// changed, and publishes a new Set. A catalogue that vanishes or cannot be read changes
// nothing; only a server that starts without one has no rules. A file that looks different is
// read before it is offered. A file that Verify has found wrong is recorded as wrong and is
// not offered until it changes.
//
// # Builds
//
// The status of a build for a client comes from the first of these rules that applies:
//
//  1. the most specific mark: platform and locale, platform, locale, neither;
//  2. the configuration's list of the protocol: accepted;
//  3. a patch that leads from it: update; one that leads to it: accepted;
//  4. the protocol: native without a list is accepted, everything else refused.
//
// A patch counts in rule 3 even while its file is missing. Otherwise an unmounted disk would
// let in clients that were refused before.
//
// A client whose build must update gets the first file of the shortest path, in bytes, to a
// current build, or to an accepted build if no path leads to a current one. A path leads only
// through builds that must update: at an accepted build the updates would end, and at a
// refused build the client could not continue. If several patches make the same step, the one
// with the most specific scope is used.
package patches
