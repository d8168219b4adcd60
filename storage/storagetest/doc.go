// Package storagetest is the conformance suite for engines of package storage, and the
// fixtures that tests of stores share. An engine's own tests call Run with a function
// that opens a store; they add tests only for what is special to that engine, such as
// file damage or crashes.
package storagetest
