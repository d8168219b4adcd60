// Package lead runs the world manager of a region on a connection to the bus. Any number
// of managers may run; a lease in a bucket decides which one leads.
//
//	RunManager ─▶ candidate: waits for the lease ─▶ term: leads until the lease is over
//
// In a term the manager keeps the list of worlds (worlds.Manager), stores each change
// before it publishes it, and answers where keys are (worlds.Directory). Two rules keep a
// former leader from doing harm if its process was suspended while another manager took
// over: each of its messages has its epoch, and nodes ignore a lower one; and each of its
// writes demands that nobody else has written (see table).
//
// RunManager has its own goroutines. Monitor may be read from anywhere.
package lead
