// Package e2e tests the program that is shipped: it builds cmd/gatepass, starts
// it as a process of its own and talks to it over sockets, as players, operators
// and strangers do. It has no code but tests.
//
// The program is built with the race detector when the tests are. What a test
// knows of the protocol it has from the protocol's own page, written down here a
// second time: lengths and bytes are literals, so that a mistake in codec/grunt
// cannot hide behind itself. Only the client's arithmetic is auth/srp6's.
//
//	main_test.go     builds the program, once
//	server_test.go   a running gatepass: start, ready, signals, metrics, what it logged
//	client_test.go   a game client: connect, send, expect
//
// Each other file is one promise of the program. A test ends only the processes
// it started, waits for conditions and not for time, and leaves nothing behind
// but its temporary folder.
package e2e
