// Package guard limits the actions of clients: how often, how much and how many at once,
// counted for each network that they come from. It imports no other package of gatepass, does
// no I/O, reads no clock and starts no goroutine. A method that needs the time takes it as an
// argument, from any clock that does not go back.
//
//	type         limits                                     used by
//	Network      names the network of an address            all of them
//	Rates        events a minute of each network            logic: native sign-ins, returns
//	Table        events a second of each network, for       worlds/dns: replies over UDP
//	             senders that may be forged
//	Bucket       bytes a second of one stream               server: files that are sent
//	Counts       how many of each network there are now     worlds/gate, worlds/dns
//	Pace         one event at a time, a line of a log       worlds/bus, worlds/dns
//	Prefixes     looks up an address among many prefixes    logic: address bans
//
// Only Table may be used by several goroutines at once.
//
// Rates and Table keep one number for each network: the time at which its share is complete
// again if it causes no more events (the generic cell rate algorithm). An entry with a time in
// the past means the same as no entry, so it can be dropped at any time.
//
// Rejected: golang.org/x/time/rate. Its Limiter needs 80 bytes and a mutex for each network,
// where 8 bytes are enough. It refuses a request above its burst, where Bucket allows debt. It
// has no bounded set of keys, and rate.Sometimes reads the clock itself.
package guard
