// Package admin is the set of commands that operators have: for accounts, bans, devices,
// second factors, patches, worlds, notices and maintenance. Each command has a typed
// request, typed results, the permission that it needs and its name in the audit log.
// commands lists all of them.
//
// A command does the same wherever it comes from:
//
//	gatepass account … ─▶ accounts.Manager ─┬─▶ storage, where no server runs
//	                                        └─▶ Client ─▶ <data>/gatepass.sock ─▶ Listener ─▶ Manager of the server ─▶ storage
//	gatepass admin …   ─▶ Command.Run ─▶ the bus ─▶ world manager, every login server
//
// Open decides which of the first two ways a command goes. The package accounts has the
// rules of account data; it does not know this package.
//
// # The control socket
//
// The server listens on a Unix socket and speaks HTTP there. A command is
//
//	POST /v1/account.ban
//	{"name":"BOB","ban":{"until":"2027-01-31T18:00:00Z","reason":"gold selling"}}
//
// and the reply is a stream of JSON objects, one a line, as --json prints them: none for
// a change, one for each entry of a list. A key that the server does not know refuses the
// request. An error is the object {"error":"not_found"}, with a word of words.go; it is
// the last one. GET /v1/ tells a client that it is understood.
//
// Many changes go together as account.batch, which makes them durable with one write:
//
//	POST /v1/account.batch
//	{"command":"account.unban"}
//	{"name":"BOB"}
//	{"command":"account.delete"}
//	{"name":"EVE"}
//
// The reply has an object for each of them, such as {"item":1,"error":"not_found"}. An
// import is a sequence of batches, so neither side holds more than one, and a client that
// goes away stops its job after the batch under way. Only the server's own user and root
// are answered.
//
// # Sessions
//
// Follow decides which change of an account ends whose sessions. The login server only
// carries that out.
//
// Everything that is bounded has its bound in limits.go.
package admin
