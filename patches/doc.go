// Package patches knows which builds of the game there are, which of them are let in,
// and which files bring an older client up to date.
//
// A Catalogue is what operators edit, kept in one file of a folder; a Set is a
// catalogue with its files opened, which never changes and which the logic asks
// (Judge). Between them stands a Watcher, which sees that the file has changed.
package patches
