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
//	region_test.go   a region: a process a role, a bus between them
//	player_test.go   a game client that goes from login server to world and back,
//	visit_test.go    and its connection to a world's gate; of these hundreds play
//	native_stage_test.go  players of the native protocol, who are package client's
//	update_stage_test.go  clients that are too old, and files for them
//
// At a world's gate the client's bytes are codec/world's, whose own tests have the
// literals. Each other file is one promise of the program. A test ends only the processes
// it started, waits for conditions and not for time, and leaves nothing behind
// but its temporary folder.
package e2e
