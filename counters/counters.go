// Package counters lets a package declare each metric once: as a field of a struct, with the
// metric's name and help in the field's tag. It imports no other package of gatepass and does
// not depend on a monitoring system.
//
//	type Stats struct {
//		Accepted counters.Counter `metric:"connections_accepted_total" help:"Client connections taken."`
//		Full     counters.Counter `metric:"connections_refused_total,reason=full" help:"Connections refused, by reason."`
//		Closed   closedBy         `metric:"connections_closed_total,reason" help:"Connections closed, by reason."`
//		Open     int              `metric:"connections" help:"Open client connections."`
//		Turns    uint64           // not shown
//	}
//
// A package that counts has one such struct, or one for each of its goroutines, and adds to
// its fields. Sum reads the fields of a struct in use into another struct, which the caller
// owns. Each lists the values of that second struct for a monitoring system.
//
// The type of a field decides how it is shown:
//
//	Counter, uint64    counter
//	time.Duration      counter, in seconds
//	other integers     gauge
//	bool               gauge, 1 for true
//	an array of these  one value for each index that Label names; see Labeller
//	map[string]uint64  one counter for each key
//
// The fields of an embedded or nested struct are shown like fields of the outer struct.
package counters

import "sync/atomic"

// Counter is a number that only rises. It is a plain number, so a struct of counters can be
// copied when no goroutine adds to it any more. Its methods may be called on any goroutine.
type Counter uint64

// Add adds n.
func (c *Counter) Add(n uint64) { atomic.AddUint64((*uint64)(c), n) }

// Load returns the number.
func (c *Counter) Load() uint64 { return atomic.LoadUint64((*uint64)(c)) }

// Labeller is an array of values. Label returns the label of an index; an empty label omits
// the value.
type Labeller interface{ Label(index int) string }
