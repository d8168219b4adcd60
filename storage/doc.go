// Package storage is the vocabulary of account storage: accounts, bans, devices, the
// requests about them (Op), the results (Result), and the rules that hold whatever
// database keeps them. Engines implement Store; storage/pebble is the embedded one. A
// caller knows only this package, and the place that opens the store chooses the engine.
// Package storagetest has the tests that every engine must pass.
//
// A request is a value, and so is its result; a tag connects the two:
//
//	taken := store.Submit([]storage.Op{{Kind: storage.OpGet, Tag: 7, Name: name}})
//	// requests that were not taken stay with the caller: the queue is full
//
// The logic goroutine of a login server calls Submit and nothing else. Results arrive
// on goroutines of the store. Tools that prefer to wait use a Client, on a store of
// their own or on the server's.
//
// The package knows verifiers but no passwords, and no sessions, protocols, clocks or
// networks; times come with the requests, in Unix seconds. FoldName is the only place
// where account names are folded. Devices that sign in by a token are stored with their
// account and removed with it.
//
// # A new engine
//
// An engine for another database is a package storage/NAME with a type that implements
// Engine. It applies the rules in rules.go and does not repeat them. Its test calls
// storagetest.Run; its other tests are about what only that database does. Besides the
// package, these files change:
//
//	cmd/gatepass/internal/config/engine.go   chooses the engine
//	docs/configuration.md                    its settings
//	docs/architecture.md                     the tree
package storage
