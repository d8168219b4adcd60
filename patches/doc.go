// Package patches knows which builds of the game there are, which of them are let in,
// and which files bring an older client up to date.
//
//	gatepass patch … ─▶ Edit ─▶ catalogue.json ─▶ Watcher ─▶ Set ─▶ logic: Judge
//	                    Take ─▶ files ───────────────┘        └──▶ File ─▶ server: ReadVector
//
// A Catalogue is what operators edit: marks of builds, patches, and what the files of
// clients are known to hash to. It is one readable file of a folder, replaced whole, so
// it may be edited whether or not a server runs. The files of patches stay where the
// operator keeps them, or are taken into the folder.
//
// A Set is a catalogue with its files opened. It never changes; whoever has one goes on
// with it, whatever happens to the folder meanwhile, and its descriptors are closed when
// nobody holds it and its files any more. What a client is to be told (Judge) is worked
// out when the Set is made, for every kind of client that the catalogue tells apart, so
// that a login costs three look-ups.
//
// Watch stands between them: each second it looks whether the catalogue or a file
// behind it has changed, and publishes a new Set. A catalogue that vanishes or cannot be
// read changes nothing; only who starts without one has no rules. A file that does not
// look as it did is read before it is offered, and one that Verify has found wrong is
// recorded as such and offered to nobody until it changes.
//
// # Builds
//
// A build's status for a client comes from the first of these that says something:
//
//  1. the most specific mark: platform and locale, platform, locale, neither;
//  2. the configuration's list of the protocol: accepted;
//  3. a patch that leads from it: update; one that leads to it: accepted;
//  4. the protocol: native without a list is accepted, everything else refused.
//
// A patch counts in 3 even while its file is missing: a disk that is not mounted must
// not let in who was kept out.
//
// A client of a build that must update is given the first file of the shortest way, by
// bytes, to a current build, or to an accepted one if there is no way to a current one.
// A way leads only through builds that must update: at one that is let in it would
// end, and at one that is refused it would break. Of several patches of one step, the
// one that is made most narrowly for the client is taken.
package patches
