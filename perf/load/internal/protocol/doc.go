// package protocol is the client's side of the two login protocols, for many connections
// of one event loop: it writes messages and computes proofs. Accounts is the driver of
// the grunt protocol and chooses what each login attempts; Native is the driver of the
// native protocol.
//
// The package does no I/O. Values belong to one event loop and are not safe for
// concurrent use. Drivers reuse what does not change between logins, because the client's
// arithmetic would otherwise cost more than the server's.
package protocol
