// Package accounts is the operator's side of the accounts: it adds, shows, bans,
// imports and exports them. It knows names, passwords and file formats; it does
// not know how records are kept (that is storage) nor how a login is proved
// (that is auth/srp6 and auth/srp6a).
//
// A Manager holds the rules and works on any Store: on storage itself, or on the server
// that has the storage open. admin.Open decides which; the server's own Manager is behind
// the commands of package admin.
//
// The server's Manager tells each change to Options.OnChange, so that the server
// can close the sessions of an account that was banned or deleted.
//
// # Passwords
//
// The process that is given a password turns it into salts and verifiers, one of the
// grunt and one of the native protocol. Only those reach the store or the server; no
// error, log line or String of this package holds a password.
//
// A PIN and an authenticator secret are stored and sent to the server as they are,
// because a login is checked against them. No error, log line or String holds one either.
// Devices are listed and revoked without the keys that let them in; only an export reads
// those, as it does verifiers.
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
