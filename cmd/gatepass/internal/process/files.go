package process

import "gatepass/server"

// The file descriptors that the bus takes in the process that serves it. A flood of
// connections to the bus must not take those that clients, the store and the admin
// listener need.
const (
	// mostBusConns is enough for the largest region and for as many connections again
	// that have not proved yet who they are. leastBusConns is enough for a small region.
	mostBusConns, leastBusConns = 4096, 32
	// busFiles is how many descriptors the bus has open beside its connections: for its
	// store and its listeners.
	busFiles = 64
	// busShare: in a process that also serves clients, the bus gets 1/busShare of the
	// descriptors for connections. Alone in its process it gets half of all.
	busShare = 4
)

// BusConns returns how many connections to the bus this process may have at once,
// including those that have not proved yet who they are. servesClients says that the
// process serves clients too.
func BusConns(servesClients bool) int {
	share := server.FileLimit() / 2
	if servesClients {
		share = (server.FileLimit() - server.FileReserve) / busShare
	}
	return min(max(share, leastBusConns), mostBusConns)
}

// FilesForBus returns how many descriptors a process that serves clients keeps back from
// them for the bus that it serves too.
func FilesForBus() int { return BusConns(true) + busFiles }
