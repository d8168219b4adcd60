// Package counters lets a package declare each of its metrics once: as a field of a
// struct, with the metric's name and help beside it. It is a leaf and knows no monitoring
// system.
//
//	type Stats struct {
//		Accepted counters.Counter `metric:"connections_accepted_total" help:"Client connections taken."`
//		Full     counters.Counter `metric:"connections_refused_total,reason=full" help:"Connections refused, by reason."`
//		Closed   closedBy         `metric:"connections_closed_total,reason" help:"Connections closed, by reason."`
//		Open     int              `metric:"connections" help:"Open client connections."`
//		Turns    uint64           // not shown
//	}
//
// The package that counts has one such struct, or one for each of its goroutines, and
// adds to its fields. Sum reads the fields of a live struct into another one, which the
// caller owns. Each names the values of that one for a monitoring system.
//
// How a field is shown follows from its type:
//
//	Counter, uint64    counter
//	time.Duration      counter, in seconds
//	other integers     gauge
//	bool               gauge, 1 for true
//	an array of these  one value for each index that Label names; see Labeller
//	map[string]uint64  one counter for each key
//
// A struct within the struct is shown as if its fields were there.
package counters

import "sync/atomic"

// Counter is a number that only rises. It is a plain number, so that a struct of counters
// can be copied once nobody adds to it. Its methods may be called on any goroutine.
type Counter uint64

// Add adds n.
func (c *Counter) Add(n uint64) { atomic.AddUint64((*uint64)(c), n) }

// Load reads the number.
func (c *Counter) Load() uint64 { return atomic.LoadUint64((*uint64)(c)) }

// Labeller is an array of values. Label names an index; empty leaves it out.
type Labeller interface{ Label(index int) string }
