package main

import "gatepass/server"

// The file descriptors that the bus takes where this process serves it. A flood of its
// port must not take those that clients, the store and the admin listener need.
const (
	// mostBusConns is enough for the largest region, with as many connections again
	// of strangers before they are cut; leastBusConns for a small one.
	mostBusConns, leastBusConns = 4096, 32
	// busFiles is what the bus has open beside its connections: its store and listeners.
	busFiles = 64
	// busShare: beside clients the bus gets one in so many of the descriptors that are
	// left for connections; alone in its process it gets half of all.
	busShare = 4
)

// busConns is how many connections there may be at once to the bus that this process
// serves, those of strangers included.
func (c *config) busConns() int {
	share := server.FileLimit() / 2
	if c.servesBoth {
		share = (server.FileLimit() - server.FileReserve) / busShare
	}
	return min(max(share, leastBusConns), mostBusConns)
}

// otherFiles is how many descriptors are kept back from clients for the bus.
func (c *config) otherFiles() int {
	if !c.servesBoth {
		return 0
	}
	return c.busConns() + busFiles
}
