// Package dns is the authoritative name server of one zone. The names in the zone are those of
// the login servers that are healthy now. It distributes clients over them, and removes a
// server from its answers as soon as the server drains.
//
// It has the table of login servers' heartbeats, the answers made from it and the sockets. It
// does not know the bus that brings the heartbeats, other zones, or the disk: after a restart
// the table fills again within one heartbeat. It does not resolve, transfer or sign.
//
//	server, err := dns.New(dns.Options{
//		Zone: "login.example.org.", Listen: ":53",
//		NS: []string{"ns1.example.org.", "ns2.example.org."},
//	})
//	err = server.Start()
//	bus.OnLoginBeat(server.Beat) // from any goroutine
//	...
//	err = server.Close()
//
// # The way of a question
//
//	UDP ─▶ worker ─▶ limiter ─┬─ within ─▶ respond ─▶ sent, or cut to the client's size (TC)
//	                          └─ beyond ─▶ dropped; every second one is cut, so that
//	                                       real clients retry over TCP
//	TCP ─▶ one goroutine a connection ───▶ respond ─▶ sent, in order
//
//	Beat ─▶ table, replaced as a whole ◀─ read by respond
//
// The core is a pure function: it makes the reply from a packet, the table, the time and a
// source of randomness (zone.respond in packet.go; the records in answer.go). The goroutines
// around it only read and write bytes.
//
// # What is in the zone
//
//	<zone>                     SOA, NS, A, AAAA of healthy login servers
//	<name>.<zone>              A, AAAA likewise, for each of Options.Names
//	_gatepass._tcp.<zone>      SRV, a login server each, with its address
//	<login server>.<zone>      A or AAAA of that one
//	<name server>.<zone>       A, AAAA from Options.Glue
//
// # Which servers are named
//
// A server is healthy if its last heartbeat is at most Options.ForgetAfter old and it does not
// drain. Answers name the healthy servers with room. If none has room, they name all healthy
// servers, because a full server itself tells its clients that it is full.
//
// A and AAAA records have no weight, so the choice and the order of servers express it. Up to
// MaxAnswers servers are drawn one by one, weighted by free capacity, and are listed in the
// order in which they were drawn. So the probability that a server's address is the first
// equals its share of all free capacity. SRV records have weights, and clients choose by them
// (RFC 2782). So the servers for them are drawn uniformly; otherwise free capacity would count
// twice.
//
// # Rules and where they come from
//
//	RFC 1034, 1035   messages, zones, TC          answer.go, packet.go
//	RFC 2181         9: what is optional is left out before TC is set
//	RFC 2308         SOA and its small TTL with NXDOMAIN and NODATA
//	RFC 2782         SRV
//	RFC 4343         names are compared without case, and come back as asked (0x20)
//	RFC 5936         zone transfers: refused
//	RFC 6891         EDNS(0): sizes, BADVERS, one OPT only
//	RFC 7766         TCP: pipelining, idle limit, bounded connections
//	RFC 8020         names above others exist: NODATA, not NXDOMAIN
//	RFC 8482         ANY: one HINFO
package dns
