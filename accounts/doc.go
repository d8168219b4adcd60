// Package accounts is the operator's side of the accounts: it adds, shows, bans,
// imports and exports them. It knows names, passwords and file formats; it does
// not know how records are kept (that is storage) nor how a login is proved
// (that is auth/srp6 and auth/srp6a).
//
// A Manager holds the rules and works on any Store. There are two of them, and
// which one a command gets is decided by Open:
//
//	                          ┌ no server: storage, opened by the command itself
//	command ─▶ Manager ─▶ Store
//	                          └ a server runs: Remote ─▶ <data>/gatepass.sock ─▶ Listener ─▶ the server's Manager ─▶ storage
//
// The server's Manager tells each change to Options.OnChange, so that the server
// can close the sessions of an account that was banned or deleted.
//
// # Passwords
//
// A password is turned into salts and verifiers, one of the grunt and one of the
// native protocol, by the process that was given it. Only those reach the store or
// cross the socket; no error, log line or String of this package holds a password.
//
// A PIN and an authenticator secret are kept and cross the socket as they are,
// since a login is checked against them; nor does any of them stand in an error,
// a log line or a String. Devices are listed and revoked without what lets them in;
// only an export asks for that, as it does for verifiers.
//
// # The control socket
//
// One line of JSON a request, one a reply, each ended by a newline and bounded in
// length. A request is a batch of storage operations:
//
//	{"v":2,"id":7,"ops":[{"op":"create","account":{"username":"BOB","salt":"…","verifier":"…"}},
//	                     {"op":"list","name":"BOB","limit":256}]}
//	{"v":2,"id":7,"results":[{"error":"exists"},{"accounts":[…]}]}
//
// A request that cannot be answered at all gets {"v":2,"id":7,"error":"…"} with
// a word of wire.go. Long jobs are a sequence of such batches, so neither side
// holds more than one of them and a client that goes away stops its job by it.
//
// # Files
//
// Look reads a whole file and decides how it is written: its encoding, what stands
// between fields, whether there are quotes and escapes, in which byte order verifiers
// are. That is a Plan. Import carries it out, with the same rules for every row, and one
// row that is bad does not take its neighbours along. Rows are parsed and verifiers
// computed by several workers, and stored in the order of the file:
//
//	file ─▶ Look ─▶ Plan ─▶ feed (rows into batches) ─┬─▶ workers (parse, verifier) ─┐
//	                                                  └─▶ in file order ─────────────┴─▶ commit ─▶ Store
//
// Everything that is bounded has its bound in limits.go.
package accounts
