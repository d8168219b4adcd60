// Package guard limits what clients may cause: how often, how much and how many at once,
// counted by the network that they come from. It is a leaf: it does no I/O, reads no clock
// and starts no goroutine. Every method that needs the time takes it as an argument, from
// any clock that does not go back.
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
// Rates and Table keep one number for each network: when its share is whole again, if it
// does nothing until then (the generic cell rate algorithm). An entry that lies in the
// past says the same as no entry, so it can be dropped at any time.
//
// Rejected: golang.org/x/time/rate. Its Limiter has 80 bytes and a mutex for each network
// where 8 bytes are enough, it refuses a request above its burst where Bucket lends, it
// has no bounded set of keys, and rate.Sometimes reads the clock itself.
package guard
