// Package accounts is the operator's interface to accounts: it adds, shows, bans,
// imports and exports them. It knows names, passwords and file formats. It does not
// know how records are kept (see storage) or how a login is proved (see auth/srp6 and
// auth/srp6a).
//
// A Manager holds the rules. It works on any Store: directly on storage, or on the
// server that has the storage open. admin.Open chooses one of the two. The commands of
// package admin use the server's own Manager.
//
// The server's Manager reports each change to Options.OnChange, so that the server can
// close the sessions of an account that was banned or deleted.
//
// # Passwords
//
// The process that receives a password derives salts and verifiers from it, one pair
// for the grunt protocol and one for the native protocol. Only those reach the store or
// the server. No error, log line or String of this package contains a password.
//
// A PIN and an authenticator secret are stored and sent to the server unchanged,
// because a login is checked against them. No error, log line or String contains them
// either. Devices are listed and revoked without their keys. Only an export reads the
// keys, as it reads verifiers.
//
// # Files
//
// Look reads a whole file and detects its format: the encoding, the delimiter, whether
// there are quotes and escapes, and the byte order of verifiers. The result is a Plan.
// Import applies the Plan with the same rules for every row. A bad row does not affect
// other rows. Several workers parse rows and compute verifiers. Import stores the rows
// in the order of the file:
//
//	file ─▶ Look ─▶ Plan ─▶ feed (rows into batches) ─┬─▶ workers (parse, verifier) ─┐
//	                                                  └─▶ in file order ─────────────┴─▶ commit ─▶ Store
//
// limits.go has all limits.
package accounts
