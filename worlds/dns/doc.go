// Package dns is the authoritative name server of one zone, in which the names
// are those of the login servers that are healthy right now. It spreads clients
// over them and takes a server out of its answers the moment that it drains.
//
// It owns the table of login servers' heartbeats, the answers made of it and the
// sockets they leave by. It refuses to know the bus that brings the heartbeats,
// other zones, and the disk: after a restart the table fills again within one
// heartbeat. Nor does it resolve, transfer or sign anything.
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
//	                                       who is real comes back over TCP
//	TCP ─▶ one goroutine a connection ───▶ respond ─▶ sent, in order
//
//	Beat ─▶ table, replaced as a whole ◀─ read by respond
//
// The core is a pure function: a packet, the table, the time and a source of
// randomness make the reply (zone.respond, packet.go; the records themselves in
// answer.go). Around it are goroutines that do nothing but move bytes.
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
// Healthy is who was heard within Options.ForgetAfter and does not drain. Of the
// healthy ones those with room are named; all of them only when none has any: a
// full server says itself that it is full.
//
// A and AAAA cannot carry a weight, so the weight is in the choice and the order:
// up to MaxAnswers servers are drawn one by one, each time by free capacity, and
// stand in the order in which they were drawn. The first address is that of a
// server with a probability that is its share of all free capacity. SRV carries
// weights, and clients draw by them (RFC 2782): so the servers named there are
// drawn evenly, or room would count twice.
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
